#include "gateway/base/label_set.hpp"

#include "gateway/base/utf8.hpp"

#include <algorithm>
#include <bit>
#include <functional>

namespace concurred::base {

namespace {

constexpr std::size_t max_label = 128;
constexpr std::size_t first_slots = 16;

bool is_showable(std::string_view text) noexcept {
    if (text.size() > max_label) {
        return false;
    }
    while (!text.empty()) {
        const utf8_character next = first_character(text);
        const bool control = next.value < 0x20 || (next.value >= 0x7F && next.value < 0xA0);
        if (!next.valid || (control && next.value != '\n')) {
            return false;
        }
        text.remove_prefix(next.length);
    }
    return true;
}

/// Spreads the bits of a packed key over the word (the finalizer of MurmurHash3).
std::size_t mixed(std::uint64_t key) noexcept {
    key = (key ^ (key >> 33)) * 0xff51afd7ed558ccdu;
    return key ^ (key >> 33);
}

}  // namespace

label_set::label_set(std::size_t limit)
    : limit_(std::min<std::size_t>(limit, 65535)), texts_{"other"}, slots_(std::bit_ceil(2 * (limit_ + 1))) {}

std::uint16_t label_set::intern(std::string_view text) {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = std::hash<std::string_view>{}(text)&mask;
    for (; slots_[at] != 0; at = (at + 1) & mask) {
        if (texts_[slots_[at]] == text) {
            return slots_[at];
        }
    }
    if (text == texts_.front() || texts_.size() > limit_ || !is_showable(text)) {
        return 0;
    }
    slots_[at] = static_cast<std::uint16_t>(texts_.size());
    texts_.emplace_back(text);
    return slots_[at];
}

series_index::series_index(std::size_t limit) : limit_(limit), keys_{0}, slots_(first_slots) {}

std::size_t series_index::intern(std::uint64_t key) {
    if (key == 0) {
        return 0;
    }
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = mixed(key) & mask;
    for (; slots_[at] != 0; at = (at + 1) & mask) {
        if (keys_[slots_[at]] == key) {
            return slots_[at];
        }
    }
    if (keys_.size() > limit_) {
        return 0;
    }
    slots_[at] = static_cast<std::uint32_t>(keys_.size());
    keys_.push_back(key);
    if (2 * keys_.size() > slots_.size()) {
        grow();
    }
    return keys_.size() - 1;
}

void series_index::grow() {
    slots_.assign(2 * slots_.size(), 0);
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t i = 1; i < keys_.size(); ++i) {
        std::size_t at = mixed(keys_[i]) & mask;
        while (slots_[at] != 0) {
            at = (at + 1) & mask;
        }
        slots_[at] = static_cast<std::uint32_t>(i);
    }
}

}  // namespace concurred::base
