#include "storage/dead_spool.hpp"

#include <unistd.h>

#include <utility>

namespace concurred::storage {

dead_spool::dead_spool(spool_folder folder) : folder_(std::move(folder)) {
    for (const std::string& name : folder_.segments()) {
        auto segment = spool_segment::open(folder_.descriptor(), name, folder_.id());
        if (segment) {
            if (!segments_.empty()) {
                segments_.back()->next.store(segment->get(), std::memory_order_relaxed);
            }
            segments_.push_back(std::move(*segment));
        } else if (segment.error().code == base::errc::not_found) {
            ::unlinkat(folder_.descriptor(), name.c_str(), 0);
        } else {
            folder_.quarantine(name);
            ++found_.quarantined;
        }
    }
    reader_ = std::make_unique<spool_reader>(folder_.descriptor(), folder_.id(),
                                             segments_.empty() ? nullptr : segments_.front().get(), frame_trust::none);
    if (!reader_->read_carry()) {
        folder_.quarantine("carry");
        ++found_.quarantined;
    }
}

dead_spool::~dead_spool() {
    if (finished()) {
        for (const auto& segment : segments_) {
            segment->remove();
        }
        folder_.remove();
    }
}

std::span<const base::usage_record> dead_spool::peek(std::size_t max) {
    auto records = reader_->peek(max);
    if (records.empty() && !closed_) {
        // The reader stops only at the end of what there is.
        closed_ = true;
        found_.aborted = reader_->open();
        reader_->close_open();
        records = reader_->peek(max);
    }
    if (records.empty()) {
        finished_.store(true, std::memory_order_relaxed);
    }
    return records;
}

void dead_spool::release(std::size_t count) {
    reader_->release(count);
    if (!closed_) {
        found_.settled += count;
    }
    for (const auto& segment : segments_) {
        if (segment->done.exchange(false, std::memory_order_relaxed)) {
            segment->remove();
        }
    }
}

dead_spool::findings dead_spool::found() const noexcept {
    findings all = found_;
    all.torn = reader_->torn();
    all.lost = reader_->lost();
    return all;
}

}  // namespace concurred::storage
