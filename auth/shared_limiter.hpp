#pragma once

#include "auth/limits.hpp"
#include "auth/principal.hpp"
#include "auth/redis_limits.hpp"
#include "auth/shared_cell.hpp"
#include "gateway/base/task_group.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <optional>
#include <string>
#include <vector>

namespace concurred::auth {

/// How the limits of several gateways are kept together. Bounds, for a limit of B units at once that refill at rate r,
/// over any time T: B + r*T while Redis answers, in both modes. Whenever Redis loses its data or its clock jumps ahead,
/// at most B more; whenever it goes away, at most max(B, replicas) more (each gateway its share, from which what it has
/// admitted lately is taken already). `leased` can leave up to a tenth of the limit unused, in slices others hold.
enum class limit_mode : std::uint8_t {
    strict,  ///< every request asks
    leased,  ///< gateways take slices ahead, and ask once for each
};

struct shared_limit_counters {
    std::uint64_t asked = 0;           ///< decided by Redis
    std::uint64_t held = 0;            ///< decided by a slice in hand
    std::uint64_t remembered = 0;      ///< refused by a denial that was remembered
    std::uint64_t alone = 0;           ///< decided by this gateway's share: Redis was away or failed
    std::uint64_t units_taken = 0;     ///< in slices
    std::uint64_t units_returned = 0;  ///< of those, given back unused
};

/// What a request takes in the same step as its unit of the limits of requests.
struct charges_beside {
    std::span<const bucket_charge> buckets{};
    const place_charge* place = nullptr;
    std::span<const money_charge> money{};

    std::optional<charges_answer> answer{};  ///< nullopt: Redis was not asked, or there was no answer
    bool unknown = false;                    ///< without an answer: Redis may have taken it all the same

    void take(boost::system::result<charges_answer, storage::redis_error> reply) {
        unknown = !reply && reply.error().outcome_unknown();
        answer = reply ? std::optional(std::move(*reply)) : std::nullopt;
    }
};

/// Decides whether a key may send one more request when limits are shared with other gateways. One for each shard; the
/// cells are shared by all of them. Must outlive the run of its executor's context.
class shared_limiter {
public:
    /// All references outlive it. @param replicas gateways that share the limits
    shared_limiter(base::executor ex, const rate_limiter& rules, storage::redis_client& redis, limit_mode mode,
                   std::uint32_t replicas);

    /// Begins to give back slices that are not used.
    void start() { tasks_.spawn(tidy()); }
    /// Gives back every slice, as far as Redis answers, and ends.
    [[nodiscard]] base::task<> close();

    /// Decides at once where nobody has to be asked: a denial that is remembered, a unit in hand, Redis away.
    [[nodiscard]] std::optional<limit_decision> decide_now(const principal& who, path_class path, std::int64_t now_us);
    /// Asks Redis; decides by the gateway's share when there is no answer within the deadline.
    /// @param who a copy: the caller's may not outlive the wait
    /// @param beside taken together with it, all or nothing; outlives the call. The decision is that of the limits of
    /// requests alone; after an answer of Redis `beside->answer` has the others and whether all was taken.
    [[nodiscard]] base::task<limit_decision> ask(principal who, path_class path, charges_beside* beside = nullptr);

    /// The limits of requests as last heard of, with nothing taken: for the answer to who is denied by another limit.
    [[nodiscard]] limit_decision as_known(const principal& who, path_class path) const;

    [[nodiscard]] const shared_limit_counters& counters() const noexcept { return counters_; }

private:
    /// The limits of one request and what is known of each.
    struct terms {
        const gcra_limit& key;
        shared_cell& key_cell;
        const gcra_limit* path = nullptr;  ///< null: the key's own is tighter
        shared_cell* path_cell = nullptr;
        std::uint32_t slice = 0;       ///< of the key's limit; 0: none are taken
        std::int64_t capacity_us = 0;  ///< of the key's limit in Redis
    };
    struct lease {
        key_state* state;
        std::string key_id;
        gcra_limit limit;
    };

    [[nodiscard]] std::optional<terms> terms_of(const principal& who, path_class path) const noexcept;
    [[nodiscard]] limit_decision decide_alone(const terms& t, std::int64_t now_us);
    [[nodiscard]] limit_decision conclude(const terms& t, const charges_answer& answer, std::int64_t now_us);
    void count_admitted(const terms& t, std::int64_t now_us) const noexcept;
    [[nodiscard]] base::task<> tidy();
    [[nodiscard]] base::task<> give_back(bool all);

    const rate_limiter& rules_;
    redis_limits redis_;
    limit_mode mode_;
    std::uint32_t replicas_;
    shared_limit_counters counters_;
    base::task_group tasks_;
    boost::asio::basic_waitable_timer<std::chrono::steady_clock, boost::asio::wait_traits<std::chrono::steady_clock>,
                                      base::executor>
        pause_;
    bool closed_ = false;
    std::vector<lease> leases_;  // whose slices this shard gives back
};

}  // namespace concurred::auth
