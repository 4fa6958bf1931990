#pragma once

#include "bench/hdr_histogram.hpp"
#include "gateway/base/clock.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

namespace concurred::bench {

/// What became of a request.
enum class outcome : std::uint8_t {
    succeeded,    ///< an expected status, the answer complete
    left,         ///< the client left on purpose, as the scenario says
    status,       ///< a status that was not expected
    error_event,  ///< a stream with an error in it
    incomplete,   ///< a stream that ended in order, but without its end mark
    malformed,    ///< not HTTP
    broken,       ///< the connection was lost before the answer was complete
    unconnected,  ///< no connection could be had
    timed_out,
    unfinished,  ///< still under way when the run was over
};
inline constexpr std::size_t outcomes = static_cast<std::size_t>(outcome::unfinished) + 1;
[[nodiscard]] std::string_view name_of(outcome what) noexcept;

/// Everything that is known of one request when it is over.
struct load_sample {
    std::size_t kind = 0;
    outcome what = outcome::succeeded;
    unsigned status = 0;  ///< 0: no head came
    bool stream = false;
    base::steady_time planned{};
    base::steady_time sent{};
    base::steady_time done{};
    std::uint32_t events = 0;
    std::uint64_t bytes = 0;  ///< received
    std::uint64_t lost = 0;
    std::uint64_t duplicated = 0;
    std::uint64_t reordered = 0;
};

/// Counts and times of the requests of one kind that were planned in the measured time. All times in microseconds.
struct kind_figures {
    std::array<std::uint64_t, outcomes> ended{};
    std::map<unsigned, std::uint64_t> statuses;
    std::uint64_t events = 0;
    std::uint64_t bytes = 0;
    std::uint64_t lost = 0;
    std::uint64_t duplicated = 0;
    std::uint64_t reordered = 0;
    hdr_histogram total;    ///< from the planned start to the end of the answer; successes only, as all that follow
    hdr_histogram service;  ///< the same from the moment the request was sent
    hdr_histogram first;    ///< streams: from the planned start to the first event with content
    hdr_histogram gap;      ///< streams: from one event with content to the next
    hdr_histogram delay;    ///< stamped tokens: from the provider's socket to here, each one

    [[nodiscard]] std::uint64_t all() const noexcept;
    [[nodiscard]] std::uint64_t at(outcome what) const noexcept { return ended[static_cast<std::size_t>(what)]; }
    void merge(const kind_figures& other);
};

/// A piece of the run's time, by the clock.
struct window_figures {
    std::uint64_t planned = 0;
    std::uint64_t succeeded = 0;  ///< ended in this window, left ones included
    std::uint64_t failed = 0;
    std::uint64_t events = 0;
    hdr_histogram total;
    hdr_histogram delay;
    void merge(const window_figures& other);
};

/// What one thread of the load generator finds out. Belongs to that thread until the run is over.
class load_figures {
public:
    load_figures(std::size_t kinds, base::steady_time begin, base::steady_time measured_from, base::steady_time end,
                 std::chrono::nanoseconds window);

    /// A start was due at `planned`, and the generator turned to it at `now`.
    void plan(base::steady_time planned, base::steady_time now);
    /// A start found no free connection and none that could be made.
    void waited() noexcept { ++starved_; }
    /// A stamped token arrived.
    void token(std::size_t kind, base::steady_time planned, std::int64_t delay_us, base::steady_time now);
    /// An event with content arrived: the first of its answer, or one `gap_us` behind the one before.
    void content(std::size_t kind, base::steady_time planned, bool first, std::int64_t us, base::steady_time now);
    void end(const load_sample& sample);
    void sent() noexcept { ++sent_; }
    void reconnected() noexcept { ++reconnects_; }
    void merge(const load_figures& other);

    [[nodiscard]] const std::vector<kind_figures>& kinds() const noexcept { return kinds_; }
    [[nodiscard]] const std::vector<window_figures>& windows() const noexcept { return windows_; }
    [[nodiscard]] const hdr_histogram& lateness() const noexcept { return lateness_; }
    [[nodiscard]] std::uint64_t starved() const noexcept { return starved_; }
    /// Requests of the whole run, warm-up included, repeats over a new connection too.
    [[nodiscard]] std::uint64_t requests_sent() const noexcept { return sent_; }
    [[nodiscard]] std::uint64_t reconnects() const noexcept { return reconnects_; }
    [[nodiscard]] kind_figures all() const;

private:
    [[nodiscard]] bool measured(base::steady_time planned) const noexcept {
        return planned >= measured_from_ && planned < end_;
    }
    [[nodiscard]] window_figures& window_at(base::steady_time now) noexcept;

    base::steady_time begin_;
    base::steady_time measured_from_;
    base::steady_time end_;
    std::chrono::nanoseconds window_;
    std::vector<kind_figures> kinds_;
    std::vector<window_figures> windows_;
    hdr_histogram lateness_;
    std::uint64_t starved_ = 0;
    std::uint64_t sent_ = 0;
    std::uint64_t reconnects_ = 0;
};

}  // namespace concurred::bench
