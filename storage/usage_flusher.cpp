#include "storage/usage_flusher.hpp"

#include "storage/api_key_store.hpp"
#include "storage/usage_store.hpp"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace concurred::storage {

usage_flusher::usage_flusher(usage_store& store, api_key_store* keys, std::vector<usage_feed*> feeds,
                             usage_flusher_options options)
    : store_(store), keys_(keys), feeds_(std::move(feeds)), options_(std::move(options)), schedule_(options_.timing) {
    records_.reserve(options_.max_batch);
}

void usage_flusher::adopt(std::unique_ptr<usage_feed> feed, std::function<void()> on_finished) {
    adopted_.push_back({std::move(feed), std::move(on_finished)});
    adopted_waiting_.store(adopted_.size(), std::memory_order_relaxed);
}

std::size_t usage_flusher::waiting() const noexcept {
    std::size_t sum = adopted_waiting_.load(std::memory_order_relaxed);
    for (const usage_feed* feed : feeds_) {
        sum += feed->waiting();
    }
    return sum;
}

std::size_t usage_flusher::collect() {
    parts_.clear();
    records_.clear();
    const std::size_t feeds = feeds_.size() + adopted_.size();
    for (std::size_t i = 0; i < feeds && records_.size() < options_.max_batch; ++i) {
        const std::size_t at = (first_feed_ + i) % feeds;
        usage_feed* const feed = at < feeds_.size() ? feeds_[at] : adopted_[at - feeds_.size()].feed.get();
        const auto records = feed->peek(options_.max_batch - records_.size());
        if (!records.empty()) {
            parts_.push_back({feed, records});
            for (const base::usage_record& record : records) {
                records_.push_back(&record);
            }
        }
    }
    return records_.size();
}

void usage_flusher::failed(const base::error& e) {
    failures_.fetch_add(1, std::memory_order_relaxed);
    failing_.store(true, std::memory_order_relaxed);
    if (options_.on_failure) {
        options_.on_failure(e, schedule_.failures() + 1);
    }
}

void usage_flusher::released(std::size_t number) {
    for (const base::usage_record& record : parts_[number].records) {
        last_used_.note(record.key_id.view(), record.admitted_ms);
    }
    flushed_.fetch_add(parts_[number].records.size(), std::memory_order_relaxed);
    parts_[number].feed->release(parts_[number].records.size());
}

bool usage_flusher::write_batch() {
    if (auto applied = store_.apply(usage_batch(records_)); !applied) {
        const bool poison = applied.error().code == base::errc::conflict && options_.quarantine;
        if (!poison) {
            failed(applied.error());
            return false;
        }
        if (!write_singly()) {
            return false;
        }
    }
    for (std::size_t i = 0; i < parts_.size(); ++i) {
        released(i);
    }
    ++first_feed_;  // a feed that is always full must not hold back the others
    batches_.fetch_add(1, std::memory_order_relaxed);
    failing_.store(false, std::memory_order_relaxed);
    if (const unsigned failures = schedule_.failures(); failures > 0 && options_.on_recovery) {
        options_.on_recovery(failures);
    }
    schedule_.succeeded();
    return true;
}

/// Finds the records of a batch that the store refuses for good, and puts them aside. Those that it takes count once,
/// also if this ends half-way and the batch is tried again.
bool usage_flusher::write_singly() {
    for (const base::usage_record* record : records_) {
        auto applied = store_.apply(usage_batch(&record, 1));
        if (applied) {
            continue;
        }
        if (applied.error().code != base::errc::conflict || !options_.quarantine(*record, applied.error())) {
            failed(applied.error());
            return false;
        }
        quarantined_.fetch_add(1, std::memory_order_relaxed);
    }
    return true;
}

void usage_flusher::write_all(base::steady_time now, bool bounded) {
    const auto began = std::chrono::steady_clock::now();
    // Only what waits now: records that come meanwhile are for the next call.
    std::size_t left = waiting();
    while (left > 0) {
        const std::size_t records = collect();
        if (records == 0) {
            break;
        }
        if (!write_batch()) {
            schedule_.failed(now);
            break;
        }
        // A dead process's spool does not know how much it holds.
        left = adopted_.empty() ? left - std::min(left, records) : records;
        if (bounded && std::chrono::steady_clock::now() - began >= options_.turn) {
            break;
        }
    }
    drop_finished();
    write_last_used();
}

void usage_flusher::drop_finished() {
    std::erase_if(adopted_, [](const adopted& one) {
        if (one.feed->finished() && one.on_finished) {
            one.on_finished();
        }
        return one.feed->finished();
    });
    adopted_waiting_.store(adopted_.size(), std::memory_order_relaxed);
}

void usage_flusher::write_last_used() {
    if (keys_ == nullptr) {
        return;
    }
    const std::vector<key_use> uses = last_used_.take();
    // A failure here is no loss worth a retry: the next use of the key says more than this one.
    if (!uses.empty() && !keys_->touch_last_used(uses)) {
        last_used_.forget();
    }
}

void usage_flusher::tick(base::steady_time now) {
    if (schedule_.due(now, waiting())) {
        write_all(now, true);
    }
}

std::size_t usage_flusher::flush_now(base::steady_time deadline) {
    while (true) {
        const auto now = std::chrono::steady_clock::now();
        write_all(now, false);
        if (waiting() == 0 || now >= deadline) {
            return waiting();
        }
        if (failing_.load(std::memory_order_relaxed)) {
            const auto pause =
                std::chrono::duration_cast<std::chrono::steady_clock::duration>(options_.timing.first_retry);
            std::this_thread::sleep_for(std::min(pause, deadline - now));
        }
    }
}

usage_flusher_counters usage_flusher::counters() const noexcept {
    usage_flusher_counters c;
    c.waiting = waiting();
    c.flushed = flushed_.load(std::memory_order_relaxed);
    c.batches = batches_.load(std::memory_order_relaxed);
    c.failures = failures_.load(std::memory_order_relaxed);
    c.quarantined = quarantined_.load(std::memory_order_relaxed);
    c.failing = failing_.load(std::memory_order_relaxed);
    return c;
}

}  // namespace concurred::storage
