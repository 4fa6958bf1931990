#pragma once

#include "auth/gcra.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace concurred::auth {

/// What a client is counted by before it is known: an IPv4 address, or the /64 of an IPv6 address, since one subscriber
/// has a whole /64 at its disposal. (Whoever has a /48 has 65,536 of them: the limits of keys and of the process as a
/// whole stand behind this one.)
class client_address {
public:
    /// @param octets in network order.
    [[nodiscard]] static client_address v4(std::span<const std::uint8_t, 4> octets) noexcept;
    /// An IPv4 address written as IPv6 (::ffff:a.b.c.d) is the IPv4 address.
    [[nodiscard]] static client_address v6(std::span<const std::uint8_t, 16> octets) noexcept;

    /// Whether it is 127.0.0.0/8 or ::1, as told when it was made.
    [[nodiscard]] bool is_loopback() const noexcept { return loopback_; }

    friend bool operator==(const client_address&, const client_address&) = default;

private:
    friend class address_limiter;
    client_address(std::uint64_t bits, bool is_v6, bool loopback) noexcept
        : bits_(bits), v6_(is_v6), loopback_(loopback) {}

    std::uint64_t bits_;
    bool v6_;
    bool loopback_;
};

/// One limit for each client address, in fixed memory, shared by all shards, lock-free.
///
/// The table has rows of eight cells, a cache line each; an address belongs to one row. A cell is one 64-bit atomic: 16
/// bits that tell the addresses of a row apart, and the bucket's time. A bucket that is full again is worth nothing, so
/// its cell is free for the next address: nothing is ever swept.
///
/// Where it is not exact, and why that is harmless: two addresses of one row with the same 16 bits share a bucket (1
/// pair in 65,535), and so does an address that finds eight busy others in its row: both get less than their due, never
/// more. Which addresses those are depends on a random seed, so nobody can choose a victim. Two first requests of an
/// address that race may open two buckets: one unit too much, once.
class address_limiter {
public:
    /// @param limit for each address. @param seed random, per process. @param start_us base::micros() of about now.
    /// @param rows rounded up to a power of two; 8,192 are 65,536 cells in 512 KiB.
    address_limiter(const gcra_limit& limit, std::uint64_t seed, std::int64_t start_us, std::size_t rows = 8'192);

    /// Takes one unit of the address. For routes without a key.
    limit_decision try_acquire(const client_address& address, std::int64_t now_us) noexcept;

    /// Whether a unit is left; takes none. Ask before work that only failures are charged for (`try_acquire` when it
    /// has failed): a wrong key costs a unit, a right one nothing.
    [[nodiscard]] limit_decision would_acquire(const client_address& address, std::int64_t now_us) const noexcept;

private:
    struct alignas(64) row {
        std::array<std::atomic<std::uint64_t>, 8> cells{};
    };
    struct place {
        std::size_t row;
        std::uint64_t tag;  // 16 bits, not 0
    };
    struct choice {
        std::size_t cell;
        std::uint64_t seen;  // what the cell held
        std::int64_t tat;    // the address's bucket as it follows from that
        std::uint64_t tag;   // to write back with the new time
    };

    [[nodiscard]] place place_of(const client_address& address) const noexcept;
    [[nodiscard]] static choice choose(const row& cells, std::uint64_t tag, std::int64_t now) noexcept;

    gcra_limit limit_;
    std::uint64_t seed_;
    std::int64_t start_us_;
    std::vector<row> rows_;
};

}  // namespace concurred::auth
