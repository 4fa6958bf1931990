#pragma once

#include "bench/mock_dialect.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace concurred::bench {

/// What the dialects have in common: what is said, and how it is cut.
namespace words {

/// The arguments of tool call `index`, a JSON object.
[[nodiscard]] std::string tool_arguments(const mock_reply& reply, std::uint32_t index);

/// `text` with the escapes of a JSON string, without quotes.
[[nodiscard]] std::string escaped(std::string_view text);

/// An escaped text in pieces of so many characters; no character or escape is cut.
[[nodiscard]] std::vector<std::string_view> pieces(std::string_view escaped, std::uint32_t characters);

/// An identifier with the request's number in it: `prefix`, twelve digits (a mark), `n` and `index`.
[[nodiscard]] std::string numbered(std::string_view prefix, std::uint32_t index);

/// Piece `index` of the reasoning; needs no escapes.
[[nodiscard]] std::string thought(const mock_reply& reply, std::uint32_t index);
/// The reasoning that is shown, as a whole.
[[nodiscard]] std::string thoughts(const mock_reply& reply);

/// The signature of a text: what a provider gives to prove later that the text is its own.
[[nodiscard]] std::string signature(std::string_view text);

/// A number in a JSON text; UINT32_MAX if it is none.
[[nodiscard]] std::uint32_t number_in(std::string_view value) noexcept;

/// Replaces raw control bytes, which are no JSON and some of which are marks of `mock_stamp`.
void make_printable(std::string& text) noexcept;

/// Whether a text has no raw control bytes.
[[nodiscard]] bool printable(std::string_view text) noexcept;

}  // namespace words
}  // namespace concurred::bench
