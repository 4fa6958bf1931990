#pragma once

#include "gateway/base/clock.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace concurred::storage {

/// When usage is written. All durations more than 0.
struct flush_timing {
    std::chrono::milliseconds interval{1'000};  ///< a record waits at most about this long ...
    std::size_t wake_at = 500;                  ///< ... or until this many wait
    std::chrono::milliseconds first_retry{100};
    std::chrono::milliseconds longest_retry{5'000};  ///< pauses double up to this
};

/// Decides when the flusher writes. Pure: the caller passes the time.
class flush_schedule {
public:
    explicit flush_schedule(const flush_timing& timing) noexcept : timing_(timing) {}

    /// Whether to write now.
    /// @param waiting records that wait
    [[nodiscard]] bool due(base::steady_time now, std::size_t waiting) noexcept {
        if (waiting == 0) {
            seen_ = false;
            return false;
        }
        if (!seen_) {
            seen_ = true;
            since_ = now;
        }
        if (failures_ > 0) {
            return now >= retry_at_;
        }
        return waiting >= timing_.wake_at || now - since_ >= timing_.interval;
    }

    void succeeded() noexcept {
        failures_ = 0;
        seen_ = false;
    }

    void failed(base::steady_time now) noexcept {
        // The exponent is bounded so that the shift is.
        const auto pause = timing_.first_retry * (1 << std::min(failures_, 16U));
        retry_at_ = now + std::min<std::chrono::milliseconds>(pause, timing_.longest_retry);
        ++failures_;
    }

    /// Failures since the last success.
    [[nodiscard]] unsigned failures() const noexcept { return failures_; }

private:
    flush_timing timing_;
    bool seen_ = false;          // records wait
    base::steady_time since_{};  // with seen_: since when
    base::steady_time retry_at_{};
    unsigned failures_ = 0;
};

}  // namespace concurred::storage
