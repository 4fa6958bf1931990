#pragma once

#include "storage/redis_codec.hpp"
#include "storage/redis_url.hpp"

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace concurred::storage {

inline constexpr std::size_t redis_slot_count = 16'384;

/// The slot of a key in a Redis Cluster: CRC-16/XMODEM of its hash tag (what is between the first '{' and the next '}',
/// unless that is empty), else of the whole key. Source: identity.md 7.3; redis.io cluster specification.
[[nodiscard]] std::uint16_t redis_slot(std::string_view key) noexcept;

/// Which master serves which slot, as far as is known.
class redis_slot_map {
public:
    redis_slot_map() { owner_.fill(nobody); }

    /// Takes the reply of CLUSTER SLOTS. @param from who said so: an empty host in the reply means this one.
    /// @return false, with nothing changed, when it is no such reply.
    bool load(const redis_value& slots, const redis_address& from);
    /// A single slot was found elsewhere.
    void move(std::uint16_t slot, const redis_address& to);

    /// @return null when nobody is known to serve the slot.
    [[nodiscard]] const redis_address* owner(std::uint16_t slot) const noexcept;
    [[nodiscard]] const std::vector<redis_address>& masters() const noexcept { return masters_; }

private:
    static constexpr std::uint16_t nobody = 0xFFFF;

    [[nodiscard]] std::uint16_t number_of(const redis_address& master);

    std::vector<redis_address> masters_;
    std::array<std::uint16_t, redis_slot_count> owner_;
};

}  // namespace concurred::storage
