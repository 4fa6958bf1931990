#pragma once

#include "gateway/base/error.hpp"
#include "gateway/base/usage_record.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace concurred::crypto {

/// Fills `out` with bytes fit for keys, from the generator that OpenSSL keeps apart for secrets.
/// @return errc::internal when the generator fails: `out` must not be used then.
[[nodiscard]] base::result<void> fill_random(std::span<std::uint8_t> out);

/// Random bytes for ids, fetched 4 KiB at a time so that an id costs a copy. Every byte is given out once and wiped
/// here. Owned by one shard; not thread-safe. Must not live across a fork: both processes would give out the same ids.
class random_pool {
public:
    random_pool() noexcept = default;
    ~random_pool();
    random_pool(const random_pool&) = delete;
    random_pool& operator=(const random_pool&) = delete;

    /// Fills `out` (any size). Ends the process if the generator fails: ids that repeat would corrupt the records.
    void fill(std::span<std::uint8_t> out) noexcept;

private:
    static constexpr std::size_t capacity = 4096;

    std::size_t next_ = capacity;               // first byte not given out yet
    std::array<std::uint8_t, capacity> bytes_;  // only [next_, capacity) is ever read
};

/// A new UUID version 7 (RFC 9562 5.7): time in front, 74 random bits behind.
/// @param unix_ms milliseconds since 1970-01-01 UTC; 48 bits are kept, negative values count as 0.
[[nodiscard]] base::event_id make_event_id(std::int64_t unix_ms, random_pool& pool) noexcept;

/// Length of the text form of an event id.
inline constexpr std::size_t event_id_chars = 36;

/// Writes the text form 8-4-4-4-12 in lower-case hexadecimal, without an end mark. No allocation.
void to_chars(const base::event_id& id, std::span<char, event_id_chars> out) noexcept;

/// The same as a string.
[[nodiscard]] std::string to_text(const base::event_id& id);

/// @param n number of characters.
/// @return characters of 0-9, A-Z, a-z, each equally likely: 5.95 bits per character. Ends the process if the generator
/// fails.
[[nodiscard]] std::string random_alphanumeric(std::size_t n);

}  // namespace concurred::crypto
