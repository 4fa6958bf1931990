#pragma once

#include "bench/mock_dialect.hpp"

#include <string>
#include <string_view>

namespace concurred::bench {

/// Anthropic's error object with its mark of the request's number. \param type empty: the usual one of `status`
[[nodiscard]] std::string anthropic_error(unsigned status, std::string_view type, std::string_view message);

/// The usual error body of a status. \param code replaces the type; a code about a spend limit goes into `details`
[[nodiscard]] std::string anthropic_error_body(unsigned status, std::string_view code, std::string_view model);

/// An error event of a stream. \param type empty: `overloaded_error`
[[nodiscard]] std::string anthropic_error_event(std::string_view type);

/// The header fields of Anthropic.
[[nodiscard]] std::string anthropic_fields(const mock_settings& settings);

/// The list of models.
[[nodiscard]] std::string anthropic_models(std::span<const std::string> models);

}  // namespace concurred::bench
