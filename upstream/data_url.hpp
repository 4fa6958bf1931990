#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace concurred::upstream {

/// A `data:` URL with base64 data (RFC 2397).
struct data_url {
    std::string media_type;  ///< without parameters; empty when the URL has none
    std::string_view data;   ///< base64, as written; points into the URL
};

/// @return nothing when it is no `data:` URL or its data is not in base64
[[nodiscard]] std::optional<data_url> parse_data_url(std::string_view url);

}  // namespace concurred::upstream
