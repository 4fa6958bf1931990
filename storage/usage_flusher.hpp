#pragma once

#include "gateway/base/clock.hpp"
#include "gateway/base/error.hpp"
#include "storage/flush_schedule.hpp"
#include "storage/last_used.hpp"
#include "storage/usage_sink.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace concurred::storage {

class api_key_store;
class usage_store;

struct usage_flusher_options {
    flush_timing timing{};
    std::size_t max_batch = 500;  ///< records of one transaction
    /// Called on the database thread after each failed write, with the failures in a row so far. For the log.
    std::function<void(const base::error&, unsigned failures)> on_failure{};
    /// Called on the database thread after the first write that worked again, with the failures before it.
    std::function<void(unsigned failures)> on_recovery{};
    /// Longest time that one `tick` goes on writing: what has piled up while the database was away is written at this
    /// share of the thread's time, and others get their turn between.
    std::chrono::milliseconds turn{50};
    /// Takes a record that the store refuses for good, so that it does not hold back the others. On the database
    /// thread.
    /// @returns whether it is kept somewhere: else it is tried again
    std::function<bool(const base::usage_record&, const base::error&)> quarantine{};
};

/// What the flusher did so far.
struct usage_flusher_counters {
    std::uint64_t waiting = 0;      ///< settled, not written yet
    std::uint64_t flushed = 0;      ///< records written
    std::uint64_t batches = 0;      ///< transactions committed
    std::uint64_t failures = 0;     ///< transactions that failed; their records keep waiting
    bool failing = false;           ///< the last transaction failed
    std::uint64_t quarantined = 0;  ///< records that the store refuses for good
};

/// Writes usage records to the store, from the feeds of all shards, on the database thread. A record leaves its feed
/// only when its transaction is committed: while the store fails the feeds fill up and admission stops, but nothing is
/// lost.
class usage_flusher {
public:
    /// @param store, keys, feeds outlive the flusher
    /// @param keys told when keys were used; may be null
    usage_flusher(usage_store& store, api_key_store* keys, std::vector<usage_feed*> feeds,
                  usage_flusher_options options = {});

    /// Takes over a feed that will be finished some day, and then goes. On the database thread, or before it runs.
    /// @param on_finished called before it goes
    void adopt(std::unique_ptr<usage_feed> feed, std::function<void()> on_finished = {});

    /// Writes what waits, if it is time. To be called about every 100 ms: a ring must not fill between two calls.
    void tick(base::steady_time now);

    /// Writes all that waits, without regard to the schedule; tries again after failures until `deadline`. For the end
    /// of the process, when the feeds get no more records. Tries at least once; a locked database may hold it for the
    /// busy timeout beyond the deadline.
    /// @returns how many records could not be written
    std::size_t flush_now(base::steady_time deadline);

    /// From any thread.
    [[nodiscard]] usage_flusher_counters counters() const noexcept;

private:
    [[nodiscard]] std::size_t waiting() const noexcept;
    [[nodiscard]] std::size_t collect();
    [[nodiscard]] bool write_batch();
    [[nodiscard]] bool write_singly();
    void released(std::size_t number);
    void failed(const base::error& e);
    void write_all(base::steady_time now, bool bounded);
    void drop_finished();
    void write_last_used();

    usage_store& store_;
    api_key_store* const keys_;
    const std::vector<usage_feed*> feeds_;
    struct adopted {
        std::unique_ptr<usage_feed> feed;
        std::function<void()> on_finished;
    };
    std::vector<adopted> adopted_;
    std::atomic<std::size_t> adopted_waiting_{0};
    const usage_flusher_options options_;
    flush_schedule schedule_;
    last_used_filter last_used_;
    struct part {
        usage_feed* feed;
        std::span<const base::usage_record> records;
    };
    std::vector<part> parts_;                         // of the batch being written
    std::vector<const base::usage_record*> records_;  // all of it
    std::size_t first_feed_ = 0;                      // the feed the next batch starts with
    std::atomic<std::uint64_t> flushed_{0};
    std::atomic<std::uint64_t> batches_{0};
    std::atomic<std::uint64_t> failures_{0};
    std::atomic<std::uint64_t> quarantined_{0};
    std::atomic<bool> failing_{false};
};

}  // namespace concurred::storage
