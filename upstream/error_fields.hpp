#pragma once

#include "upstream/json_parts.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace concurred::upstream {

/// What the error body of a provider of the OpenAI family says, in the provider's own words. Texts are empty when
/// absent.
struct error_fields {
    std::string message;
    std::string type;
    std::string code;  ///< only when it is a string
    std::string param;
    std::string error_type;      ///< OpenRouter's `metadata.error_type`
    std::optional<long> number;  ///< `code` when it is a number (OpenRouter: an HTTP status), or MiniMax's status code
    bool base_resp = false;      ///< `number` is MiniMax's
    bool moderated = false;      ///< OpenRouter refused the content of the request
    std::string status;          ///< Google's word for the status, e.g. "RESOURCE_EXHAUSTED"
    std::string reason;          ///< Google's `ErrorInfo.reason`
    std::string retry_delay;     ///< Google's `RetryInfo.retryDelay` without the "s": seconds, maybe with a fraction
    bool daily_quota = false;    ///< Google: a quota of the whole day is used up
};

/// Reads the forms `{"error":{"message","type","param","code"}}`, `{"error":"…","code":"…"}` (xAI), OpenRouter's with
/// numeric codes and the routed provider's own text in `metadata.raw`, MiniMax's `base_resp`, Google's with its details
/// (also in brackets), and plain `message` or `detail` members.
/// \return nothing when `body` is no JSON object, or says nothing of an error
[[nodiscard]] std::optional<error_fields> read_error_fields(std::string_view body);

/// Whether a member `error` says that there is one: it is not null, false or an empty text.
[[nodiscard]] bool is_error(const json_part& error) noexcept;
/// Whether MiniMax's `base_resp` is one of a failure.
[[nodiscard]] bool is_failure(const json_part& base_resp);
/// Whether a JSON object that came as a success carries an error of either kind. Reads it only if it mentions one.
[[nodiscard]] bool carries_error(std::string_view body);

}  // namespace concurred::upstream
