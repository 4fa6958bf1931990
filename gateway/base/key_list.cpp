#include "gateway/base/key_list.hpp"

#include <algorithm>
#include <charconv>

namespace concurred::base {

namespace {

constexpr std::string_view spaces = " \t\r\n";

/// Takes the weight off the end of `word`. False: there is one, and it is out of range.
bool take_weight(std::string_view& word, unsigned& weight) noexcept {
    const std::size_t star = word.rfind('*');
    if (star == std::string_view::npos || star + 1 == word.size() ||
        word.find_first_not_of("0123456789", star + 1) != std::string_view::npos) {
        return true;
    }
    const std::string_view digits = word.substr(star + 1);
    const auto failure = std::from_chars(digits.data(), digits.data() + digits.size(), weight).ec;
    word = word.substr(0, star);
    return failure == std::errc{} && weight >= 1 && weight <= max_key_weight;
}

}  // namespace

std::optional<std::vector<weighted_key>> parse_key_list(std::string_view text) {
    std::vector<weighted_key> keys;
    while (true) {
        text.remove_prefix(std::min(text.find_first_not_of(spaces), text.size()));
        if (text.empty()) {
            return keys;
        }
        std::string_view word = text.substr(0, text.find_first_of(spaces));
        text.remove_prefix(word.size());
        unsigned weight = 1;
        const bool good = take_weight(word, weight) && !word.empty() && keys.size() < max_keys_of_a_provider &&
                          std::all_of(word.begin(), word.end(), [](char c) { return c > ' ' && c < 0x7F; }) &&
                          std::none_of(keys.begin(), keys.end(), [&](const auto& k) { return k.key == word; });
        if (!good) {
            return std::nullopt;
        }
        keys.push_back({std::string(word), weight});
    }
}

}  // namespace concurred::base
