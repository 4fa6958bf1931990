#pragma once

#include "gateway/base/error.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace concurred::upstream {

/// A 400 that names the field of the request that is wrong, or that the provider cannot do.
[[nodiscard]] inline base::error refuse_field(std::string_view field, std::string_view why) {
    return base::client_error(base::errc::bad_request, "'" + std::string(field) + "' " + std::string(why),
                              std::string(field));
}

/// "name[3]" or "name[3].rest".
[[nodiscard]] inline std::string at_index(std::string_view name, std::size_t index, std::string_view rest = {}) {
    std::string path(name);
    path.append("[").append(std::to_string(index)).append("]");
    return rest.empty() ? path : path.append(".").append(rest);
}

}  // namespace concurred::upstream
