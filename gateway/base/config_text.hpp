#pragma once

#include "gateway/base/config.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace concurred::base {

/// Reads "250ms", "600s", "10m", "1h" or a plain number of seconds. Nothing if it is not one or exceeds 2^53 ms.
[[nodiscard]] std::optional<milliseconds> parse_duration(std::string_view text) noexcept;

/// Reads a plain number of bytes, or one with "KiB", "MiB" or "GiB". Nothing if it is not one or exceeds 2^53.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text) noexcept;

/// Reads "127.0.0.1:8080", "[::1]:8080", "localhost:8080", ":8080" (all addresses: the host is empty then).
[[nodiscard]] std::optional<endpoint_config> parse_endpoint(std::string_view text);

/// The shortest exact form: "90s", "10m", "250ms".
[[nodiscard]] std::string duration_text(milliseconds duration);

/// The shortest exact form: "32MiB", "1500".
[[nodiscard]] std::string size_text(std::uint64_t bytes);

/// What is wrong with `url` as a provider's base, or nothing. Never repeats the URL: it may hold a secret.
[[nodiscard]] std::optional<std::string> base_url_fault(std::string_view url);

/// The content of a file, or why it cannot be had.
struct file_text {
    std::string text;
    std::string fault;  ///< "No such file or directory"; empty: `text` is the content
};

/// Reads a whole file of at most `limit` bytes. Blocking: for start-up and reload only.
[[nodiscard]] file_text read_file(const std::string& path, std::size_t limit);

/// Takes one line end off the end of `text`: files with a secret usually have one that is not part of it.
void trim_line_end(std::string& text) noexcept;

}  // namespace concurred::base
