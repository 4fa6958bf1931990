#pragma once

#include "auth/gcra.hpp"
#include "auth/key_state.hpp"
#include "auth/principal.hpp"
#include "gateway/base/config.hpp"
#include "gateway/base/error.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace concurred::auth {

/// A limit that each key has on one path, besides its own.
struct path_limit {
    std::string_view route;  ///< route template; "/*" at the end stands for everything below
    std::uint32_t limit;
    std::chrono::seconds window;
};

/// The published limits; every other path has `other_paths`. /api/health is limited per client address instead.
/// Source: public-api.md 4; battle and fight as /api/chat.
inline constexpr std::array default_path_limits{
    path_limit{"/api/v1/chat/completions", 60, std::chrono::seconds{60}},
    path_limit{"/api/v1/media/*", 60, std::chrono::seconds{60}},
    path_limit{"/api/v1/vision", 60, std::chrono::seconds{60}},
    path_limit{"/api/v1/fashion/run", 30, std::chrono::seconds{60}},
    path_limit{"/api/v1/fashion/subscribe", 30, std::chrono::seconds{60}},
    path_limit{"/api/v1/fashion/status/:id", 40, std::chrono::seconds{10}},
    path_limit{"/api/chat", 10, std::chrono::seconds{60}},
    path_limit{"/api/v1/battle", 10, std::chrono::seconds{60}},
    path_limit{"/api/v1/fight", 10, std::chrono::seconds{60}},
};
inline constexpr path_limit other_paths{"", 60, std::chrono::seconds{60}};

/// A key with more requests per 60 s than this is held to its own limit alone: what an owner set on the key wins over
/// the published limits of all paths (DECISIONS.md 8).
inline constexpr std::uint32_t path_limits_end_above = 60;

/// Names one row of a limiter's table. Resolve it once per route, not per request. Only valid with the limiter it is
/// from.
enum class path_class : std::uint8_t {};

/// Decides whether a key may send one more request: by the key's own limit and by the path's, whichever is tighter.
/// Holds only the rules, so every shard may have its own or share one; the counts are in `key_state` and exact over all
/// shards.
class rate_limiter {
public:
    /// @param config `paths` replaces the limits of known routes and adds others, in requests per 60 s.
    /// @return errc::internal, with a text for the operator, when a path's limit is 0 or there are more than
    /// max_path_classes different routes.
    [[nodiscard]] static base::result<rate_limiter> make(const base::limits_config& config);

    /// The class of a route: that of its own template, else of the longest "/*" above it, else of all other paths.
    [[nodiscard]] path_class class_of(std::string_view route) const noexcept;

    /// The limit of a class as configured, not yet compared with a key's.
    [[nodiscard]] const gcra_limit& limit_of(path_class path) const noexcept {
        return classes_[static_cast<std::size_t>(path)].limit;
    }

    /// The limit of a class where it can be tighter than the key's own; else null.
    [[nodiscard]] const gcra_limit* tighter_limit(const gcra_limit& key, path_class path) const noexcept;

    /// Takes `cost` from both limits, or from none. Lock-free; allocates once in the life of a key that meets a path
    /// limit tighter than its own. Under contention for the last units one that would fit may be denied, never the
    /// reverse.
    /// @param now_us base::micros() of now.
    /// @return what to tell the client: when allowed, the limit with less left; when denied, the one to wait longer
    /// for.
    [[nodiscard]] limit_decision admit(const principal& who, path_class path, std::int64_t now_us,
                                       std::uint32_t cost = 1) const noexcept;

    /// Undoes an `admit` that was allowed: for requests that fail by our own fault before they were sent on.
    void refund(const principal& who, path_class path, std::int64_t now_us, std::uint32_t cost = 1) const noexcept;

    /// Every class with its limit, "" for all other paths: for print-config.
    struct path_rule {
        std::string route;
        gcra_limit limit;
    };
    [[nodiscard]] std::span<const path_rule> rules() const noexcept { return classes_; }

private:
    rate_limiter() = default;

    /// The path's cell, or null when the key's own limit is at least as tight at every moment.
    [[nodiscard]] std::atomic<std::int64_t>* tighter_cell(const principal& who, path_class path) const noexcept;

    std::vector<path_rule> classes_;  // the last one: all other paths
};

}  // namespace concurred::auth
