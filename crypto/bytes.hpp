#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace concurred::crypto {

/// The same bytes as text; what texts and keys are passed as in this folder.
/// @param bytes must outlive the returned view.
[[nodiscard]] inline std::string_view to_view(std::span<const std::uint8_t> bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The same text as bytes, the form OpenSSL takes.
/// @param text must outlive the returned span.
[[nodiscard]] inline std::span<const std::uint8_t> to_bytes(std::string_view text) noexcept {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace concurred::crypto
