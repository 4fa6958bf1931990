#include "storage/usage_spool.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace concurred::storage {

bool spool_budget::take(std::size_t bytes) noexcept {
    if (used.fetch_add(bytes, std::memory_order_relaxed) + bytes > limit) {
        give(bytes);
        return false;
    }
    return true;
}

base::result<std::unique_ptr<usage_spool>> usage_spool::make(spool_folder folder, spool_budget& budget,
                                                             std::size_t segment_bytes) {
    auto first = spool_segment::create(folder.descriptor(), {folder.id(), 1}, segment_bytes);
    if (!first) {
        return std::move(first).error();
    }
    budget.used.fetch_add(segment_bytes, std::memory_order_relaxed);
    std::unique_ptr<usage_spool> made(new usage_spool(std::move(folder), budget, segment_bytes, std::move(*first)));
    if (auto ready = made->keep(); !ready) {
        made->close();
        return std::move(ready).error();
    }
    return made;
}

usage_spool::usage_spool(spool_folder folder, spool_budget& budget, std::size_t segment_bytes,
                         std::unique_ptr<spool_segment> first)
    : folder_(std::move(folder)),
      budget_(budget),
      segment_bytes_(segment_bytes),
      current_(first.get()),
      reader_(folder_.descriptor(), folder_.id(), current_, frame_trust::ours) {
    segments_.push_back(std::move(first));
}

usage_spool::~usage_spool() {
    budget_.give(segments_.size() * segment_bytes_);
}

/// Bytes for frames in what is at hand. The last frame of a segment may leave a gap behind it.
std::size_t usage_spool::room() const noexcept {
    const std::uint64_t spares = spares_made_.load(std::memory_order_acquire) - spares_taken_local_;
    const std::size_t here = segment_bytes_ - offset_;
    return (here > max_spool_frame ? here - max_spool_frame : 0) +
           static_cast<std::size_t>(spares) * (segment_bytes_ - spool_header_bytes - max_spool_frame);
}

bool usage_spool::admit() noexcept {
    const std::size_t open = open_.load(std::memory_order_relaxed) + 1;
    if (room() < open * frames_per_request * max_spool_frame) {
        refused_.store(refused_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
        return false;
    }
    open_.store(open, std::memory_order_relaxed);
    return true;
}

void usage_spool::dispatch(const base::usage_record& record, bool again) noexcept {
    const std::size_t open = open_.load(std::memory_order_relaxed);
    if (again && room() < (open * frames_per_request + 1) * max_spool_frame) {
        return;  // the room is that of other requests; what was noted before stands
    }
    append(spool_kind::admit, record);
}

void usage_spool::settle(const base::usage_record& record) noexcept {
    const std::size_t open = open_.load(std::memory_order_relaxed);
    assert(open > 0 && "settle without admit");
    // Counted first: the feed may see and release the record as soon as it is written.
    settled_.store(settled_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    append(spool_kind::settle, record);
    open_.store(open - std::min<std::size_t>(open, 1), std::memory_order_relaxed);
}

bool usage_spool::rotate() noexcept {
    if (spares_made_.load(std::memory_order_acquire) == spares_taken_local_) {
        return false;
    }
    spool_segment* const next = spares_[spares_taken_local_ % most_spares].load(std::memory_order_relaxed);
    spares_taken_.store(++spares_taken_local_, std::memory_order_release);
    current_->next.store(next, std::memory_order_release);
    current_ = next;
    offset_ = spool_header_bytes;
    return true;
}

void usage_spool::append(spool_kind kind, const base::usage_record& record) noexcept {
    if (segment_bytes_ - offset_ < max_spool_frame && !rotate()) {
        assert(false && "admit keeps room for every frame");
        return;
    }
    offset_ += write_frame(current_->bytes().subspan(offset_), current_->seal(), kind, ++sequence_, record);
    current_->written.store(offset_, std::memory_order_release);
}

void usage_spool::release(std::size_t count) {
    reader_.release(count);
    released_.store(released_.load(std::memory_order_relaxed) + count, std::memory_order_release);
}

std::size_t usage_spool::waiting() const noexcept {
    const std::uint64_t released = released_.load(std::memory_order_acquire);
    const std::uint64_t settled = settled_.load(std::memory_order_relaxed);
    return settled > released ? static_cast<std::size_t>(settled - released) : 0;
}

base::result<void> usage_spool::make_spares() {
    // Twice what the open requests may need, and one to turn to.
    const std::size_t wanted =
        2 + 2 * open_.load(std::memory_order_relaxed) * frames_per_request * max_spool_frame / segment_bytes_;
    while (true) {
        const std::uint64_t made = spares_made_.load(std::memory_order_relaxed);
        const std::uint64_t ready = made - spares_taken_.load(std::memory_order_acquire);
        if (ready >= std::min(wanted, most_spares) || !budget_.take(segment_bytes_)) {
            return {};
        }
        auto segment = spool_segment::create(folder_.descriptor(), {folder_.id(), next_number_}, segment_bytes_);
        if (!segment) {
            budget_.give(segment_bytes_);
            return std::move(segment).error();
        }
        if (auto listed = folder_.sync(); !listed) {
            (*segment)->remove();
            budget_.give(segment_bytes_);
            return listed;
        }
        ++next_number_;
        spares_[made % most_spares].store(segment->get(), std::memory_order_relaxed);
        segments_.push_back(std::move(*segment));
        spares_made_.store(made + 1, std::memory_order_release);
    }
}

base::result<void> usage_spool::keep() {
    const auto applied = std::partition(segments_.begin(), segments_.end(), [](const auto& segment) {
        return !segment->done.load(std::memory_order_acquire);
    });
    for (auto gone = applied; gone != segments_.end(); ++gone) {
        (*gone)->remove();
        budget_.give(segment_bytes_);
    }
    segments_.erase(applied, segments_.end());
    base::result<void> outcome = make_spares();
    for (const auto& segment : segments_) {
        if (auto synced = segment->sync(); !synced && outcome) {
            outcome = std::move(synced);
        }
    }
    return outcome;
}

void usage_spool::close() {
    if (waiting() != 0 || open_.load(std::memory_order_relaxed) != 0) {
        return;
    }
    for (const auto& segment : segments_) {
        segment->remove();
    }
    folder_.remove();
}

}  // namespace concurred::storage
