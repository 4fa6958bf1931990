#pragma once

#include "bench/mock_schema.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace concurred::bench {

/// Reads the notation of `mock_schema`.
class mock_schema_reader {
public:
    using names = std::map<std::string, std::size_t, std::less<>>;

    mock_schema_reader(std::string_view text, std::vector<mock_schema::node>& nodes) : text_(text), nodes_(nodes) {}

    /// All definitions. Mistakes are thrown as std::logic_error.
    [[nodiscard]] names read();

private:
    using node = mock_schema::node;

    [[nodiscard]] std::size_t type();
    [[nodiscard]] std::size_t alternative();
    [[nodiscard]] node record();
    [[nodiscard]] node word();
    void limits(node& of);
    [[nodiscard]] double number(double otherwise);
    [[nodiscard]] std::size_t add(node one);

    void skip();
    [[nodiscard]] bool take(std::string_view mark);
    void need(std::string_view mark);
    [[nodiscard]] std::string name();
    [[noreturn]] void complain(std::string_view what) const;

    std::string_view text_;
    std::size_t at_ = 0;
    std::vector<node>& nodes_;
};

}  // namespace concurred::bench
