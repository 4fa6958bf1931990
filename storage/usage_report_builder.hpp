#pragma once

#include "storage/usage_store.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace concurred::storage {

/// Groups the daily sums that a store reads into a report. Done here and not in SQL: one pass over the rows serves the
/// models and the series, so that they cannot disagree, and SQLite would sort whole rows to group them, which takes
/// three times as long as reading them.
class usage_report_builder {
public:
    explicit usage_report_builder(const usage_query& query);

    /// Adds one row, in any order.
    /// @param model as stored; empty: not known
    /// @param name what the query groups by, as stored; ignored without a group
    void add(std::int32_t day, std::string_view model, std::string_view name, const usage_sums& sums);

    /// The report of all rows. Ends the use of the builder.
    [[nodiscard]] usage_report finish();

private:
    using point_key = std::pair<std::int32_t, std::string>;
    using point_view = std::pair<std::int32_t, std::string_view>;
    struct before {
        using is_transparent = void;
        bool operator()(const point_view& a, const point_view& b) const noexcept { return a < b; }
    };
    using points = std::map<point_key, usage_sums, before>;

    [[nodiscard]] static usage_sums& slot(points& all, const point_view& key);

    const bool by_day_;
    const bool by_name_;
    usage_report report_;
    points models_;
    points series_;
};

}  // namespace concurred::storage
