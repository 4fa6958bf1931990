#include "gateway/base/near_match.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace concurred::base {

namespace {

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same(char a, char b) noexcept {
    return lower(a) == lower(b);
}

bool begins_with(std::string_view name, std::string_view wanted) noexcept {
    return wanted.size() >= 3 && wanted.size() <= name.size() &&
           std::equal(wanted.begin(), wanted.end(), name.begin(), same);
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) noexcept {
    a = a.substr(0, near_match_bytes);
    b = b.substr(0, near_match_bytes);
    using row = std::array<std::uint8_t, near_match_bytes + 1>;  // small rows: they are copied
    row before_last{};
    row last{};
    row current{};
    for (std::size_t j = 0; j <= b.size(); ++j) {
        last[j] = static_cast<std::uint8_t>(j);
    }
    for (std::size_t i = 1; i <= a.size(); ++i) {
        current[0] = static_cast<std::uint8_t>(i);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const int change = last[j - 1] + (same(a[i - 1], b[j - 1]) ? 0 : 1);
            int best = std::min({last[j] + 1, current[j - 1] + 1, change});
            if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1])) {
                best = std::min(best, before_last[j - 2] + 1);
            }
            current[j] = static_cast<std::uint8_t>(best);
        }
        before_last = last;
        last = current;
    }
    return last[b.size()];
}

std::vector<std::string_view> nearest(std::string_view wanted, std::span<const std::string_view> names,
                                      std::size_t count) {
    std::vector<std::pair<std::size_t, std::string_view>> found;
    for (const std::string_view name : names) {
        const std::size_t longer = std::min(std::max(name.size(), wanted.size()), near_match_bytes);
        const std::size_t limit = std::max<std::size_t>(1, (longer + 1) / 3);
        const std::size_t apart =
            name.size() > wanted.size() ? name.size() - wanted.size() : wanted.size() - name.size();
        if (begins_with(name, wanted)) {
            found.emplace_back(std::min(limit, apart), name);
        } else if (apart <= limit) {
            if (const std::size_t distance = edit_distance(wanted, name); distance <= limit) {
                found.emplace_back(distance, name);
            }
        }
    }
    std::stable_sort(found.begin(), found.end(), [](const auto& x, const auto& y) { return x.first < y.first; });
    std::vector<std::string_view> result;
    for (const auto& [distance, name] : found) {
        if (result.size() == count) {
            break;
        }
        result.push_back(name);
    }
    return result;
}

std::string did_you_mean(std::span<const std::string_view> names) {
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i) {
        text += i == 0 ? "did you mean '" : i + 1 == names.size() ? "' or '" : "', '";
        text += names[i];
    }
    return names.empty() ? text : text + "'?";
}

}  // namespace concurred::base
