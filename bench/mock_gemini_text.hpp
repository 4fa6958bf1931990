#pragma once

#include "bench/mock_dialect.hpp"

#include <span>
#include <string>
#include <string_view>

namespace concurred::bench {

/// Google's usual error body by the settings `status`, `code` (another status word, `API_KEY_INVALID`, or the name of a
/// quota) and `retry-after` or `retry-after-ms`, which is a RetryInfo here.
[[nodiscard]] std::string gemini_error_body(const mock_settings& settings);

/// An error with a message of the mock's own.
[[nodiscard]] std::string gemini_failure_body(const mock_failure& failure);

/// An error event of a stream. \param word empty: `UNAVAILABLE`
[[nodiscard]] std::string gemini_error_event(std::string_view word);

/// The list of models.
[[nodiscard]] std::string gemini_models(std::span<const std::string> models);

/// A path segment without percent-encoding.
[[nodiscard]] std::string percent_decoded(std::string_view text);

/// The value of a parameter in a query; empty: there is none.
[[nodiscard]] std::string_view query_value(std::string_view query, std::string_view name) noexcept;

}  // namespace concurred::bench
