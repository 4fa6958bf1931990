#pragma once

#include "gateway/base/error.hpp"
#include "storage/spool_folder.hpp"
#include "storage/spool_reader.hpp"
#include "storage/spool_segment.hpp"
#include "storage/usage_sink.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace concurred::storage {

/// How many bytes the spools of a process may take, and take. From any thread.
struct spool_budget {
    explicit spool_budget(std::size_t most) noexcept : limit(most) {}

    const std::size_t limit;
    std::atomic<std::size_t> used{0};

    [[nodiscard]] bool take(std::size_t bytes) noexcept;
    void give(std::size_t bytes) noexcept { used.fetch_sub(bytes, std::memory_order_relaxed); }
    /// Used up to four fifths or more.
    [[nodiscard]] bool nearly_full() const noexcept { return used.load(std::memory_order_relaxed) >= limit / 5 * 4; }
};

/// Usage records of one shard in memory-mapped files: what was handed over survives the end of the process at any
/// instruction, and a power cut once `keep` has run. Three threads use it: the shard (sink), the database thread
/// (feed), and the keeper, which makes, syncs and removes the files. The first two wait for nothing.
class usage_spool final : public usage_queue {
public:
    /// @param folder locked by this process
    /// @param budget outlives the spool
    /// @param segment_bytes a multiple of 4096, at least 64 KiB
    /// Errors: there is no space for the first segment, ...
    [[nodiscard]] static base::result<std::unique_ptr<usage_spool>> make(spool_folder folder, spool_budget& budget,
                                                                         std::size_t segment_bytes);
    ~usage_spool() override;

    // The shard's side.
    [[nodiscard]] bool admit() noexcept override;
    void dispatch(const base::usage_record& record, bool again) noexcept override;
    void settle(const base::usage_record& record) noexcept override;

    // The database thread's side.
    [[nodiscard]] std::span<const base::usage_record> peek(std::size_t max) override { return reader_.peek(max); }
    void release(std::size_t count) override;

    // From any thread.
    [[nodiscard]] std::size_t waiting() const noexcept override;
    [[nodiscard]] std::uint64_t refused() const noexcept override { return refused_.load(std::memory_order_relaxed); }

    // The keeper's side.
    /// Syncs what was written, makes segments ahead of need, removes those that are applied.
    /// Errors: the first of what did not work; the rest was done.
    [[nodiscard]] base::result<void> keep();

    /// Removes the files if all of them is applied; else leaves them for the next start. When all threads have ended.
    void close();

private:
    static constexpr std::size_t most_spares = 256;
    // One frame at dispatch, one at settle.
    static constexpr std::size_t frames_per_request = 2;

    usage_spool(spool_folder folder, spool_budget& budget, std::size_t segment_bytes,
                std::unique_ptr<spool_segment> first);
    [[nodiscard]] std::size_t room() const noexcept;
    void append(spool_kind kind, const base::usage_record& record) noexcept;
    [[nodiscard]] bool rotate() noexcept;
    [[nodiscard]] base::result<void> make_spares();

    spool_folder folder_;
    spool_budget& budget_;
    const std::size_t segment_bytes_;

    // The shard's.
    spool_segment* current_;
    std::size_t offset_ = spool_header_bytes;
    std::uint64_t sequence_ = 0;
    std::uint64_t spares_taken_local_ = 0;
    std::atomic<std::size_t> open_{0};
    std::atomic<std::uint64_t> settled_{0};
    std::atomic<std::uint64_t> refused_{0};

    // From the keeper to the shard.
    std::array<std::atomic<spool_segment*>, most_spares> spares_{};
    std::atomic<std::uint64_t> spares_made_{0};
    std::atomic<std::uint64_t> spares_taken_{0};

    // The database thread's.
    spool_reader reader_;
    std::atomic<std::uint64_t> released_{0};

    // The keeper's.
    std::vector<std::unique_ptr<spool_segment>> segments_;
    std::uint32_t next_number_ = 2;
};

}  // namespace concurred::storage
