#include "storage/spool_keeper.hpp"

#include "crypto/random.hpp"

#include <algorithm>
#include <utility>

namespace concurred::storage {

namespace {

constexpr std::size_t page_octets = 4'096;
constexpr std::size_t smallest_segment = 64 * 1024;
constexpr std::size_t largest_segment = 8 * 1024 * 1024;
// So that what is applied goes in steps that are small against the limit.
constexpr std::size_t segments_per_shard = 16;

std::size_t segment_size(const spool_options& options) noexcept {
    const std::size_t share = options.limit_bytes / options.shards / segments_per_shard / page_octets * page_octets;
    return std::clamp(share, smallest_segment, largest_segment);
}

}  // namespace

base::result<std::unique_ptr<spool_keeper>> spool_keeper::make(const spool_options& options) {
    std::unique_ptr<spool_keeper> keeper(new spool_keeper(options));
    for (unsigned i = 0; i < options.shards; ++i) {
        spool_id id{};
        if (auto filled = crypto::fill_random(id); !filled) {
            return std::move(filled).error();
        }
        auto folder = spool_folder::create(options.root, id);
        if (!folder) {
            return std::move(folder).error();
        }
        auto spool = usage_spool::make(std::move(*folder), keeper->budget_, segment_size(options));
        if (!spool) {
            return std::move(spool).error();
        }
        keeper->spools_.push_back(std::move(*spool));
    }
    return keeper;
}

base::result<std::vector<std::unique_ptr<dead_spool>>> spool_keeper::claim() const {
    auto folders = claim_dead_spools(options_.root);
    if (!folders) {
        return std::move(folders).error();
    }
    std::vector<std::unique_ptr<dead_spool>> dead;
    for (spool_folder& folder : *folders) {
        dead.push_back(std::make_unique<dead_spool>(std::move(folder)));
    }
    return dead;
}

void spool_keeper::start(spool_alarms alarms) {
    alarms_ = std::move(alarms);
    thread_ = std::make_unique<database_thread>();
    thread_->every(options_.sync, [this] { keep(); });
}

void spool_keeper::keep() {
    base::result<void> outcome;
    for (const auto& spool : spools_) {
        if (auto kept = spool->keep(); !kept && outcome) {
            outcome = std::move(kept);
        }
    }
    if (!outcome != failing_) {
        failing_ = !outcome;
        if (failing_ && alarms_.on_failure) {
            alarms_.on_failure(outcome.error());
        } else if (!failing_ && alarms_.on_repaired) {
            alarms_.on_repaired();
        }
    }
    if (const bool level = budget_.nearly_full(); level != nearly_full_) {
        nearly_full_ = level;
        if (alarms_.on_level) {
            alarms_.on_level(level);
        }
    }
}

void spool_keeper::stop() {
    if (thread_) {
        thread_->stop();
    }
    for (const auto& spool : spools_) {
        static_cast<void>(spool->keep());
        spool->close();
    }
}

}  // namespace concurred::storage
