#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace concurred::http {

/// The text that the inside of a JSON string stands for: escapes replaced, everything else as it is.
/// \param inside  what stands between the quotes
/// \return nothing when an escape is broken. Whether the rest may stand in a string is the scanner's business.
[[nodiscard]] std::optional<std::string> json_unescape(std::string_view inside);

/// The same for a string with its quotes. Returns nothing when `raw` is no string.
[[nodiscard]] std::optional<std::string> json_unquote(std::string_view raw);

/// Whether the JSON string `raw`, with its quotes, stands for `text`, however it is spelled. Allocates nothing.
[[nodiscard]] bool json_string_equals(std::string_view raw, std::string_view text) noexcept;

/// Size in bytes of the UTF-8 text that `inside` stands for; broken escapes count as they are written.
[[nodiscard]] std::size_t json_unescaped_size(std::string_view inside) noexcept;

/// Appends `text` as a JSON string with its quotes. Bytes that are not valid UTF-8 become U+FFFD. Runs of plain
/// characters are copied at once.
void append_json_string(std::string& out, std::string_view text);

/// Whether `text` may stand between quotes as it is: printable ASCII without a quote and a backslash.
[[nodiscard]] bool is_plain_json_text(std::string_view text) noexcept;

}  // namespace concurred::http
