#pragma once

#include "bench/mock_dialect.hpp"
#include "bench/mock_schema.hpp"

#include <boost/json/value.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace concurred::bench {

/// A mismatch as each provider words it.
[[nodiscard]] mock_failure openai_words(const mock_mismatch& wrong);
[[nodiscard]] mock_failure anthropic_words(const mock_mismatch& wrong);
[[nodiscard]] mock_failure gemini_words(const mock_mismatch& wrong);

/// What the checks of several providers have in common.
namespace checks {

/// The document; nothing if the text is no JSON.
[[nodiscard]] std::optional<boost::json::value> parsed(std::string_view body);

/// The member of that name, or null: none, or the value is no object.
[[nodiscard]] const boost::json::value* member(const boost::json::value& value, std::string_view name) noexcept;
/// The text of that member; empty if it is none.
[[nodiscard]] std::string_view text(const boost::json::value& value, std::string_view name) noexcept;
/// The elements of that member; none if it is no array.
[[nodiscard]] const boost::json::array& elements(const boost::json::value& value, std::string_view name) noexcept;

/// Whether a text has only letters, digits, underscores and hyphens, and a length from 1 to `longest`.
[[nodiscard]] bool plain_name(std::string_view text, std::size_t longest) noexcept;
/// Whether a text is Base64 with its padding.
[[nodiscard]] bool base64(std::string_view text) noexcept;
/// Whether a text has nothing but white space.
[[nodiscard]] bool blank(std::string_view text) noexcept;

/// `'a', 'b' or 'c'`
[[nodiscard]] std::string listed(const std::vector<std::string>& texts, std::string_view last_separator);

}  // namespace checks
}  // namespace concurred::bench
