#include "storage/redis_slots.hpp"

#include <algorithm>
#include <utility>

namespace concurred::storage {

namespace {

// A cluster has at most as many masters as slots; far fewer in any real one.
constexpr std::size_t most_masters = 1'000;

std::uint16_t crc16(std::string_view bytes) noexcept {
    std::uint32_t crc = 0;
    for (const char c : bytes) {
        crc ^= static_cast<std::uint32_t>(static_cast<unsigned char>(c)) << 8;
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc & 0x8000U) != 0 ? (crc << 1) ^ 0x1021U : crc << 1;
        }
    }
    return static_cast<std::uint16_t>(crc);
}

}  // namespace

std::uint16_t redis_slot(std::string_view key) noexcept {
    const std::size_t open = key.find('{');
    if (open != std::string_view::npos) {
        const std::size_t close = key.find('}', open + 1);
        if (close != std::string_view::npos && close != open + 1) {
            key = key.substr(open + 1, close - open - 1);
        }
    }
    return static_cast<std::uint16_t>(crc16(key) % redis_slot_count);
}

std::uint16_t redis_slot_map::number_of(const redis_address& master) {
    const auto found = std::find(masters_.begin(), masters_.end(), master);
    if (found == masters_.end() && masters_.size() < most_masters) {
        masters_.push_back(master);
        return static_cast<std::uint16_t>(masters_.size() - 1);
    }
    return found == masters_.end() ? nobody : static_cast<std::uint16_t>(found - masters_.begin());
}

bool redis_slot_map::load(const redis_value& slots, const redis_address& from) {
    if (slots.type() != redis_value::kind::array) {
        return false;
    }
    redis_slot_map read;
    for (std::size_t i = 0; i < slots.size(); ++i) {
        const redis_value range = slots[i];
        const std::int64_t first = range[0].integer();
        const std::int64_t last = range[1].integer();
        const std::int64_t port = range[2][1].integer();
        if (range.size() < 3 || first < 0 || last < first || last >= static_cast<std::int64_t>(redis_slot_count) ||
            port <= 0 || port > 65'535) {
            return false;
        }
        redis_address master{std::string(range[2][0].text()), static_cast<std::uint16_t>(port)};
        if (master.host.empty() || master.host == "?") {
            master.host = from.host;
        }
        const std::uint16_t number = read.number_of(master);
        std::fill(read.owner_.begin() + first, read.owner_.begin() + last + 1, number);
    }
    *this = std::move(read);
    return true;
}

void redis_slot_map::move(std::uint16_t slot, const redis_address& to) {
    owner_[slot] = number_of(to);
}

const redis_address* redis_slot_map::owner(std::uint16_t slot) const noexcept {
    const std::uint16_t number = slot < redis_slot_count ? owner_[slot] : nobody;
    return number < masters_.size() ? &masters_[number] : nullptr;
}

}  // namespace concurred::storage
