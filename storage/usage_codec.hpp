#pragma once

#include "gateway/base/usage_record.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace concurred::storage {

// A usage record as octets, as it is kept in the spool and in SQLite. Little-endian, back to back:
//
//   16 id   u8 end   u8 flags: 1 byok, 2 stream, 4 estimated, 8 priced   i64 admitted_ms   i32 day   u16 status
//   u32 price_version   u64 prompt, cache_read, cache_write, completion, reasoning, reserved tokens
//   i64 cost_nano_usd   u32 latency_ms   u32 first_token_ms
//   texts, each as u8 length and octets: owner, key_id, endpoint, provider, model_requested, model,
//   upstream_request_id

/// The fixed part, and the texts with their lengths.
inline constexpr std::size_t max_packed_usage = 100 + (2 * base::max_id_length + 48 + 32 + 96 + 96 + 64) + 7;

/// @param out at least max_packed_usage
/// @returns how many octets were written
std::size_t pack_usage(std::span<std::uint8_t> out, const base::usage_record& record) noexcept;

/// @returns false for what is no packed record; `out` is then half written
[[nodiscard]] bool unpack_usage(std::span<const std::uint8_t> packed, base::usage_record& out) noexcept;

/// Whose record it is. @param packed a packed record
[[nodiscard]] base::event_id packed_id(std::span<const std::uint8_t> packed) noexcept;

}  // namespace concurred::storage
