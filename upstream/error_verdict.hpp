#pragma once

#include "upstream/error_fields.hpp"

#include <string_view>

namespace concurred::upstream {

/// What an error of a provider means, before it is decided whose fault it is.
struct error_verdict {
    unsigned status = 502;   ///< HTTP status it has, or would have had
    std::string_view code;   ///< code for the caller when the provider gives none; static text
    bool retry = false;      ///< the same request may succeed later
    bool key_fault = false;  ///< the key was refused, not the request
};

/// \param http_status  of the answer; below 400 the fields alone say what happened
/// \param provider     name in the provider table
[[nodiscard]] error_verdict judge_error(unsigned http_status, const error_fields& fields, std::string_view provider);

/// Whether the error is about money or a quota that only its owner can raise: waiting does not help.
[[nodiscard]] bool is_quota_error(const error_fields& fields, const error_verdict& verdict);

}  // namespace concurred::upstream
