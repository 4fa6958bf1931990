#include "upstream/data_url.hpp"

#include "gateway/http/request_head.hpp"

#include <algorithm>

namespace concurred::upstream {

std::optional<data_url> parse_data_url(std::string_view url) {
    constexpr std::string_view scheme = "data:";
    const std::size_t comma = url.find(',');
    if (comma == std::string_view::npos || comma < scheme.size() ||
        !http::iequals(url.substr(0, scheme.size()), scheme)) {
        return std::nullopt;
    }
    const std::string_view head = url.substr(scheme.size(), comma - scheme.size());
    const std::size_t last = head.rfind(';');
    if (last == std::string_view::npos || !http::iequals(head.substr(last + 1), "base64")) {
        return std::nullopt;
    }
    data_url found;
    found.media_type = head.substr(0, head.find(';'));
    std::transform(found.media_type.begin(), found.media_type.end(), found.media_type.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
    if (found.media_type == "image/jpg") {
        found.media_type = "image/jpeg";
    }
    found.data = url.substr(comma + 1);
    return found;
}

}  // namespace concurred::upstream
