#pragma once

#include "gateway/base/error.hpp"
#include "storage/spool_codec.hpp"
#include "storage/spool_scanner.hpp"
#include "storage/spool_segment.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory_resource>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

namespace concurred::storage {

/// Reads the settled records of a spool in their order, whether a shard still writes it or its process is dead, and
/// knows which admitted requests are not settled yet. When all of a segment is applied it is marked as done; requests
/// that were admitted in it and are still open are carried over into the file `carry` first. Used by one thread.
class spool_reader {
public:
    /// @param folder the open folder of the spool; outlives the reader
    /// @param first the oldest segment; the others follow by `next`; null: there are none
    /// @param trust `ours` where this process writes the segments
    spool_reader(int folder, const spool_id& spool, spool_segment* first, frame_trust trust);

    /// Takes the requests that the file `carry` has as open. For a dead process's spool.
    /// @returns false for a file that is damaged
    [[nodiscard]] bool read_carry();

    /// Settled records that are not released, at most `max`, in order. Valid until `release`.
    [[nodiscard]] std::span<const base::usage_record> peek(std::size_t max);
    /// Forgets the `count` oldest, which are now stored.
    void release(std::size_t count);

    /// Everything is read, up to what is written.
    [[nodiscard]] bool at_end() const noexcept;
    /// For a dead process's spool, at its end: what is open ends as it was admitted, aborted and estimated.
    void close_open();

    [[nodiscard]] std::size_t open() const noexcept { return open_.size(); }
    [[nodiscard]] std::size_t pending() const noexcept { return filled_ - head_; }
    /// Records that were passed over as damaged, or are of a newer version; whole ones that are missing.
    [[nodiscard]] std::uint64_t lost() const noexcept { return lost_; }
    [[nodiscard]] std::uint64_t torn() const noexcept { return torn_; }

private:
    struct id_hash {
        std::size_t operator()(const base::event_id& id) const noexcept;
    };
    struct place {
        spool_segment* segment;
        std::size_t end;
    };

    struct open_request {
        std::span<const std::uint8_t> packed;  ///< in `segment`, or in `kept`
        const spool_segment* segment = nullptr;
        std::vector<std::uint8_t> kept{};
    };

    void fill(std::size_t max);
    void take(const frame_view& frame);
    void begin_segment(spool_segment* segment);
    void end_segment() noexcept;
    [[nodiscard]] base::usage_record& next_pending();
    void keep_open(const spool_segment* segment);
    [[nodiscard]] bool next_segment();
    void finish_segments();
    [[nodiscard]] bool write_carry(std::uint32_t number);

    const int folder_;
    const spool_id spool_;
    const frame_trust trust_;
    spool_segment* at_ = nullptr;
    std::optional<spool_scanner> scanner_;
    std::deque<spool_segment*> unfinished_;    // at_ is the last one
    std::vector<base::usage_record> pending_;  // the first filled_ of them; the rest is kept for its memory
    std::vector<place> places_;                // of pending_
    std::size_t filled_ = 0;
    std::size_t head_ = 0;  // first of pending_ that is not released
    // Admitted requests come and go all the time: their nodes are used again.
    std::pmr::unsynchronized_pool_resource nodes_;
    std::pmr::unordered_map<base::event_id, open_request, id_hash> open_{&nodes_};
    bool has_carry_ = false;
    bool closing_ = false;  // the files stay until all is applied
    std::uint64_t next_sequence_ = 0;
    std::uint64_t lost_ = 0;
    std::uint64_t torn_ = 0;
};

}  // namespace concurred::storage
