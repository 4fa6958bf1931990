#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace concurred::storage {

/// CRC-32C (Castagnoli) of `bytes`, continued from `before`: crc32c(a + b) == crc32c(b, crc32c(a)). Uses the
/// processor's instruction where there is one. Source: RFC 3720 appendix B.4, which has the test vectors.
[[nodiscard]] std::uint32_t crc32c(std::span<const std::uint8_t> bytes, std::uint32_t before = 0) noexcept;

/// The same in portable code, for machines without the instruction and to test the other against.
[[nodiscard]] std::uint32_t crc32c_portable(std::span<const std::uint8_t> bytes, std::uint32_t before = 0) noexcept;

}  // namespace concurred::storage
