#include "auth/address_limits.hpp"

#include <algorithm>
#include <bit>

namespace concurred::auth {

namespace {

// A cell is tag << 48 | time, the time in microseconds since the limiter was made: 48 bits last for 8.9 years.
constexpr unsigned time_bits = 48;
constexpr std::uint64_t time_mask = (std::uint64_t{1} << time_bits) - 1;

std::int64_t time_of(std::uint64_t cell) noexcept {
    return static_cast<std::int64_t>(cell & time_mask);
}

std::uint64_t big_endian(std::span<const std::uint8_t> octets) noexcept {
    std::uint64_t bits = 0;
    for (const std::uint8_t octet : octets) {
        bits = bits << 8 | octet;
    }
    return bits;
}

}  // namespace

client_address client_address::v4(std::span<const std::uint8_t, 4> octets) noexcept {
    return {big_endian(octets), false, octets[0] == 127};
}

client_address client_address::v6(std::span<const std::uint8_t, 16> octets) noexcept {
    const std::uint64_t high = big_endian(octets.first<8>());
    const std::uint64_t low = big_endian(octets.last<8>());
    if (high == 0 && low >> 32 == 0xffff) {
        return v4(octets.last<4>());
    }
    return {high, true, high == 0 && low == 1};
}

address_limiter::address_limiter(const gcra_limit& limit, std::uint64_t seed, std::int64_t start_us, std::size_t rows)
    : limit_(limit), seed_(seed), start_us_(start_us), rows_(std::bit_ceil(std::max(rows, std::size_t{1}))) {}

address_limiter::place address_limiter::place_of(const client_address& address) const noexcept {
    // The finaliser of MurmurHash3, seeded twice: without the seeds it can be inverted, so they must not be guessed.
    std::uint64_t x = address.bits_ ^ seed_ ^ (address.v6_ ? 0x9e3779b97f4a7c15ULL : 0);
    x = (x ^ (x >> 33)) * 0xff51afd7ed558ccdULL;
    x = (x ^ (x >> 33)) + std::rotl(seed_, 32);
    x *= 0xc4ceb9fe1a85ec53ULL;
    x ^= x >> 33;
    return {static_cast<std::size_t>(x) & (rows_.size() - 1), std::max(x >> time_bits, std::uint64_t{1})};
}

address_limiter::choice address_limiter::choose(const row& cells, std::uint64_t tag, std::int64_t now) noexcept {
    choice empty{cells.cells.size(), 0, 0, tag};
    choice idlest{cells.cells.size(), 0, 0, tag};
    for (std::size_t i = 0; i < cells.cells.size(); ++i) {
        const std::uint64_t seen = cells.cells[i].load(std::memory_order_relaxed);
        const std::int64_t tat = time_of(seen);
        if (seen >> time_bits == tag) {
            return {i, seen, tat, tag};
        }
        if (tat <= now) {
            empty = empty.cell == cells.cells.size() ? choice{i, seen, 0, tag} : empty;
        } else if (idlest.cell == cells.cells.size() || tat < idlest.tat) {
            idlest = {i, seen, tat, seen >> time_bits};
        }
    }
    return empty.cell != cells.cells.size() ? empty : idlest;
}

limit_decision address_limiter::try_acquire(const client_address& address, std::int64_t now_us) noexcept {
    const place at = place_of(address);
    const std::int64_t now = std::max(now_us - start_us_, std::int64_t{0});
    row& cells = rows_[at.row];
    // Relaxed for the reasons in gcra.hpp: a cell is all there is, and one compare-exchange decides on it.
    for (;;) {
        choice chosen = choose(cells, at.tag, now);
        const gcra_step step = gcra_advance(chosen.tat, limit_, now, 1);
        if (step.tat == chosen.tat) {
            return step.decision;
        }
        const std::uint64_t next = chosen.tag << time_bits | (static_cast<std::uint64_t>(step.tat) & time_mask);
        if (cells.cells[chosen.cell].compare_exchange_weak(chosen.seen, next, std::memory_order_relaxed)) {
            return step.decision;
        }
    }
}

limit_decision address_limiter::would_acquire(const client_address& address, std::int64_t now_us) const noexcept {
    const place at = place_of(address);
    const std::int64_t now = std::max(now_us - start_us_, std::int64_t{0});
    return gcra_advance(choose(rows_[at.row], at.tag, now).tat, limit_, now, 1).decision;
}

}  // namespace concurred::auth
