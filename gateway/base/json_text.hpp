#pragma once

#include <string>
#include <string_view>

namespace concurred::base {

/// Appends `text` to `out` as a JSON string with its quotes. The result is a TOML basic string as well.
/// Bytes that are not valid UTF-8 become U+FFFD, so that the output is always valid. For start-up and error paths: it
/// works byte by byte.
void append_json_text(std::string& out, std::string_view text);

/// The longest prefix of `text` of at most `limit` bytes that does not cut a UTF-8 sequence.
[[nodiscard]] std::string_view cut_text(std::string_view text, std::size_t limit) noexcept;

}  // namespace concurred::base
