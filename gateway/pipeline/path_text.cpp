#include "gateway/pipeline/path_text.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <system_error>

namespace concurred::pipeline {

std::string unescaped_path_text(std::string_view escaped) {
    std::string text;
    text.reserve(escaped.size());
    while (!escaped.empty()) {
        const std::size_t mark = std::min(escaped.find('%'), escaped.size());
        text.append(escaped.substr(0, mark));
        escaped.remove_prefix(mark);
        if (escaped.empty()) {
            break;
        }
        const std::string_view digits = escaped.substr(1, 2);
        unsigned value = 0;
        const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
        const bool octet = digits.size() == 2 && failure == std::errc() && end == digits.data() + digits.size();
        text.push_back(octet ? static_cast<char>(value) : '%');
        escaped.remove_prefix(octet ? 3 : 1);
    }
    return text;
}

}  // namespace concurred::pipeline
