#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace concurred::base {

/// Names are compared by their first bytes up to this many, which bounds the work an unknown name can cause.
inline constexpr std::size_t near_match_bytes = 64;

/// Number of single changes (insert, delete, replace, swap two neighbours) that turn `a` into `b`, ignoring ASCII
/// case. Optimal string alignment distance. Does not allocate.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b) noexcept;

/// The at most `count` names nearest to `wanted`, nearest first, only those that a slip of the pen explains: at most a
/// third of the longer name changed, or `wanted` being the beginning of the name. The views are those of `names`.
[[nodiscard]] std::vector<std::string_view> nearest(std::string_view wanted, std::span<const std::string_view> names,
                                                    std::size_t count);

/// "did you mean 'a'?", "did you mean 'a' or 'b'?", "did you mean 'a', 'b' or 'c'?"; empty for no names.
[[nodiscard]] std::string did_you_mean(std::span<const std::string_view> names);

}  // namespace concurred::base
