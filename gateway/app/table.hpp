#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace concurred::app {

/// Rows in columns that are as wide as their widest cell, for people to read.
class text_table {
public:
    enum class align { left, right };

    /// Adds a column; all of them before the first row. A column whose cells are all empty is not shown.
    void column(std::string title, align side = align::left);

    /// Adds a row.
    /// @param cells one for each column; what a terminal must not see is replaced
    void row(std::vector<std::string> cells);

    /// Title line and rows, each ended by a line end, without spaces at their ends.
    [[nodiscard]] std::string text() const;

private:
    struct heading {
        std::string title;
        align side;
    };

    std::vector<heading> columns_;
    std::vector<std::vector<std::string>> rows_;
};

}  // namespace concurred::app
