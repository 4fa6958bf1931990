#pragma once

#include "gateway/base/clock.hpp"
#include "gateway/base/error.hpp"

#include <optional>
#include <string_view>

namespace concurred::upstream {

/// A provider's answer that is no success, or turned out to carry an error. The views need to live for the call only.
struct provider_answer {
    unsigned status = 0;                 ///< HTTP status; 200 for an error in a stream's event or in a successful body
    std::string_view body{};             ///< the body, or the JSON of the event
    std::string_view provider{};         ///< name in the provider table, e.g. "x-ai"
    bool byok = false;                   ///< the request went out with a key of the caller
    std::string_view key_slug{};         ///< name the caller gave that key
    std::string_view key{};              ///< the key itself, to keep it out of the message
    std::string_view retry_after{};      ///< field `Retry-After`; empty when absent
    std::string_view retry_after_ms{};   ///< field `retry-after-ms`
    std::optional<bool> should_retry{};  ///< field `x-should-retry`
};

/// Bytes of a provider's body that are looked at, and of its message that are kept.
inline constexpr std::size_t max_error_body = std::size_t{64} * 1024;
inline constexpr std::size_t max_error_message = 1024;

/// Turns a provider's error into ours (DECISIONS.md 14; the providers' own tables):
/// - its 4xx keeps status, message, code, type and param, scrubbed of secrets;
/// - 401 and 403 mean the key: 502 upstream_authentication_failed for the platform's, 401 that names the caller's own;
///   but a refusal of the content stays 403;
/// - 503 and 529 become 503 upstream_overloaded, 504 and 524 become 504, every other 5xx and anything else becomes 502;
/// - an error inside HTTP 200 gets the status it means.
/// `retry` is retry_class::safe when the same request may be sent again, here or to another provider.
[[nodiscard]] base::error error_from_answer(const provider_answer& answer, base::wall_time now);

}  // namespace concurred::upstream
