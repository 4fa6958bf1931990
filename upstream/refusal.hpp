#pragma once

#include "gateway/base/error.hpp"

#include <string>
#include <utility>

namespace concurred::upstream {

/// A 400 for a part of the request that is wrong, or that a provider cannot do and that must not be lost unseen.
/// @param field where it is, as a path from the body's root: "messages[2].content[0]"; plain characters only
[[nodiscard]] inline base::error refuse(std::string field, std::string message) {
    base::error e = base::client_error(base::errc::bad_request, std::move(message), std::move(field));
    e.details = "{\"field\":\"" + e.param + "\"}";
    return e;
}

}  // namespace concurred::upstream
