#pragma once

#include "auth/key_record.hpp"
#include "auth/key_source.hpp"
#include "auth/shared_key_cache.hpp"
#include "gateway/base/logger.hpp"

#include <chrono>
#include <cstdint>
#include <string_view>

namespace concurred::auth {

/// How long what replicas tell each other counts. Source: identity.md 2.2.
struct shared_cache_ages {
    std::chrono::milliseconds refresh{40'000};  ///< since verification; then the source is asked, if it answers
    std::chrono::milliseconds hard_bound{600'000};
    std::chrono::milliseconds not_found{30'000};
    std::chrono::milliseconds refused{10'000};  ///< disabled, expired and the like: whoever lifts that expects effect
    std::chrono::milliseconds place{900'000};   ///< longer than any record
};

/// What a mark of a changed key stands at: marks have no place of their own.
[[nodiscard]] std::string mark_place(std::string_view key_id);

/// The replicas' common knowledge in front of a source. When the store is not there, the source alone is asked; when
/// the source cannot answer, the store's record counts up to the hard bound.
class cached_key_source final : public key_source {
public:
    struct counts {
        std::uint64_t hits = 0;
        std::uint64_t misses = 0;
        std::uint64_t stale = 0;     ///< records used because the source could not answer
        std::uint64_t forged = 0;    ///< records that none of us has made
        std::uint64_t failures = 0;  ///< the store did not answer
    };

    /// All outlive the source.
    cached_key_source(shared_key_cache& cache, const key_record_codec& codec, key_source& source, base::logger& log,
                      const shared_cache_ages& ages = {})
        : cache_(cache), codec_(codec), source_(source), log_(log), ages_(ages) {}

    [[nodiscard]] base::task<base::result<key_answer>> find(const crypto::digest256& digest,
                                                            const crypto::secret_string& key, bool known) override;

    [[nodiscard]] const counts& numbers() const noexcept { return counts_; }

private:
    struct shared_state {
        bool reachable = false;
        std::uint64_t epoch = 0;
        std::optional<key_answer> answer{};
    };

    [[nodiscard]] base::task<shared_state> look(const std::string& place);
    [[nodiscard]] base::task<bool> store(const std::string& place, std::uint64_t epoch, key_answer& answer);
    [[nodiscard]] std::optional<key_answer> believe(std::string_view place, std::string_view text);
    [[nodiscard]] std::chrono::milliseconds lifetime(const key_answer& answer) const noexcept;

    shared_key_cache& cache_;
    const key_record_codec& codec_;
    key_source& source_;
    base::logger& log_;
    shared_cache_ages ages_;
    counts counts_;
};

}  // namespace concurred::auth
