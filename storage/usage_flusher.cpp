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
    chunks_.reserve(feeds_.size());
    owners_.reserve(feeds_.size());
}

std::size_t usage_flusher::waiting() const noexcept {
    std::size_t sum = 0;
    for (const usage_feed* feed : feeds_) {
        sum += feed->waiting();
    }
    return sum;
}

std::size_t usage_flusher::collect() {
    chunks_.clear();
    owners_.clear();
    std::size_t records = 0;
    for (std::size_t i = 0; i < feeds_.size() && records < options_.max_batch; ++i) {
        usage_feed* feed = feeds_[(first_feed_ + i) % feeds_.size()];
        const usage_chunk chunk = feed->peek(options_.max_batch - records);
        if (!chunk.records.empty()) {
            records += chunk.records.size();
            chunks_.push_back(chunk);
            owners_.push_back(feed);
        }
    }
    return records;
}

bool usage_flusher::write_batch(std::size_t records) {
    if (auto applied = store_.apply(std::span<const usage_chunk>(chunks_)); !applied) {
        failures_.fetch_add(1, std::memory_order_relaxed);
        failing_.store(true, std::memory_order_relaxed);
        if (options_.on_failure) {
            options_.on_failure(applied.error(), schedule_.failures() + 1);
        }
        return false;
    }
    for (std::size_t i = 0; i < chunks_.size(); ++i) {
        for (const base::usage_record& record : chunks_[i].records) {
            last_used_.note(record.key_id.view(), record.admitted_ms);
        }
        owners_[i]->release(chunks_[i].records.size());
    }
    first_feed_ = (first_feed_ + 1) % feeds_.size();  // a feed that is always full must not hold back the others
    flushed_.fetch_add(records, std::memory_order_relaxed);
    batches_.fetch_add(1, std::memory_order_relaxed);
    failing_.store(false, std::memory_order_relaxed);
    if (const unsigned failures = schedule_.failures(); failures > 0 && options_.on_recovery) {
        options_.on_recovery(failures);
    }
    schedule_.succeeded();
    return true;
}

void usage_flusher::write_all(base::steady_time now) {
    // Only what waits now: records that come meanwhile are for the next call, so that other jobs get their turn.
    std::size_t left = waiting();
    while (left > 0) {
        const std::size_t records = collect();
        if (records == 0) {
            break;
        }
        if (!write_batch(records)) {
            schedule_.failed(now);
            break;
        }
        left -= std::min(left, records);
    }
    write_last_used();
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
        write_all(now);
    }
}

std::size_t usage_flusher::flush_now(base::steady_time deadline) {
    while (true) {
        const auto now = std::chrono::steady_clock::now();
        write_all(now);
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
    c.failing = failing_.load(std::memory_order_relaxed);
    return c;
}

}  // namespace concurred::storage
