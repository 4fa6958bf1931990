#pragma once

#include "bench/mock_request.hpp"
#include "gateway/base/clock.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace concurred::bench {

/// A request whose peer went away before the answer was complete.
struct mock_abort {
    std::uint64_t request = 0;
    bool streaming = false;        ///< bytes of the answer were on their way
    bool by_reset = false;         ///< the peer reset the connection; else it closed it
    std::uint32_t events = 0;      ///< events written
    std::uint32_t tokens = 0;      ///< tokens written
    base::steady_time started{};   ///< when the request was complete
    base::steady_time observed{};  ///< when the peer's close was seen
    base::wall_time observed_wall{};
    base::steady_time ended{};  ///< when the answer was stopped and the socket closed
};

/// A request that a provider would have refused.
struct mock_violation {
    std::uint64_t request = 0;
    std::string dialect;
    std::string message;  ///< what it was told
};

/// One of the last requests.
struct mock_seen {
    std::uint64_t number = 0;
    std::string head;  ///< as received, from the method to the blank line
    std::string body;  ///< without chunk framing; empty unless bodies are kept
    std::size_t body_size = 0;
    bool body_kept = false;
    std::string body_sha256;  ///< hex; empty unless bodies are kept or hashed
};

/// What is counted.
enum class mock_count : std::size_t {
    requests,      ///< requests read, control requests left out
    completed,     ///< answered to the last byte
    aborted,       ///< given up because the peer went away
    broken,        ///< broken off on purpose, by a fault
    dropped_idle,  ///< connections closed by `close-idle` when the next request arrived
    malformed,     ///< requests refused because they are not HTTP
    unauthorized,  ///< requests without a good key
    redirected,    ///< requests to the target of `redirect`
    violations,    ///< requests that were against the provider's schema or rules
    events,        ///< events of streams, written
    tokens,        ///< tokens, written
    wasted,        ///< tokens written to peers that went away
    accepted,      ///< connections accepted
    closed,        ///< connections closed
};

/// One thread's part of the ledger. Counters are written by that thread alone and read by any; the lists have a lock,
/// which is free but for a control request.
class mock_ledger {
public:
    static constexpr std::size_t counts = static_cast<std::size_t>(mock_count::closed) + 1;
    using totals = std::array<std::uint64_t, counts>;

    /// Adds to a counter; the owner's thread only.
    void add(mock_count which, std::uint64_t amount = 1) noexcept {
        auto& counter = counters_[static_cast<std::size_t>(which)];
        counter.store(counter.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
    }
    /// Counts and lists an aborted request.
    void add_abort(const mock_abort& abort);
    /// Counts and lists a request that was refused for what it says.
    void add_violation(const mock_violation& violation);
    /// Counts a request and keeps its head. \param keep_body keep the body too \param hash_body compute its SHA-256
    void add_request(std::uint64_t number, const mock_request& request, bool keep_body, bool hash_body);

    [[nodiscard]] totals read() const noexcept;
    [[nodiscard]] std::deque<mock_abort> aborts() const;
    [[nodiscard]] std::deque<mock_violation> violations() const;
    /// The request with this number, or the newest for 0.
    [[nodiscard]] std::optional<mock_seen> find(std::uint64_t number) const;
    /// Empties the lists.
    void clear_lists();

private:
    static constexpr std::size_t aborts_kept = 1000;
    static constexpr std::size_t violations_kept = 100;
    static constexpr std::size_t requests_kept = 256;

    std::array<std::atomic<std::uint64_t>, counts> counters_{};
    mutable std::mutex lists_;
    std::deque<mock_abort> aborts_;
    std::deque<mock_violation> violations_;
    std::array<mock_seen, requests_kept> seen_;
    std::size_t seen_count_ = 0;
};

/// The ledger of all threads.
class mock_board {
public:
    explicit mock_board(unsigned threads);

    /// The part of thread `index`.
    [[nodiscard]] mock_ledger& part(unsigned index) noexcept { return *parts_[index]; }
    /// A number for the next request, from 1 on; never given twice.
    [[nodiscard]] std::uint64_t next_number() noexcept { return numbers_.fetch_add(1, std::memory_order_relaxed) + 1; }
    /// The ledger as a JSON object.
    [[nodiscard]] std::string json() const;
    /// The request with this number, or the newest for 0.
    [[nodiscard]] std::optional<mock_seen> find(std::uint64_t number) const;
    /// Starts counting afresh and empties the lists. Requests under way stay under way.
    void reset();
    /// Changes with every `reset`.
    [[nodiscard]] std::uint64_t epoch() const noexcept { return epoch_.load(std::memory_order_relaxed); }

private:
    [[nodiscard]] mock_ledger::totals sum() const noexcept;

    std::vector<std::unique_ptr<mock_ledger>> parts_;
    std::atomic<std::uint64_t> numbers_{0};
    std::atomic<std::uint64_t> epoch_{0};
    mutable std::mutex base_lock_;
    mock_ledger::totals base_{};  // totals at the last reset
};

}  // namespace concurred::bench
