#include "gateway/app/control.hpp"

#include "gateway/base/metrics_text.hpp"
#include "gateway/base/process_info.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <csignal>

namespace concurred::app {

namespace {

constexpr std::chrono::seconds progress_interval{5};
// For error events to leave after the drain deadline.
constexpr std::chrono::seconds last_words{2};
constexpr std::chrono::seconds longest_turn{5};

base::limits_config admin_limits(const base::config& settings) {
    base::limits_config limits = settings.limits;
    limits.body_bytes = 0;
    return limits;
}

}  // namespace

control::control(shared_state& shared, std::span<const std::unique_ptr<shard>> shards, base::logger& log)
    : shared_(shared),
      shards_(shards),
      log_(log),
      signals_(io_.get_executor(), SIGTERM, SIGINT, SIGHUP),
      step_(io_.get_executor()),
      progress_(io_.get_executor()),
      wheel_(std::chrono::steady_clock::now()),
      driver_(io_.get_executor(), wheel_),
      admin_({.settings = *shared.settings,
              .alive = [this] { return all_turn(); },
              .obstacle = [this] { return obstacle(); },
              .metrics = [this] { return metrics_page(); }}),
      context_{.executor = io_.get_executor(),
               .wheel = wheel_,
               .buffers = buffers_,
               .exchanges = exchanges_,
               .date = date_,
               .application = admin_,
               .limits = admin_limits(*shared.settings)},
      listener_(context_, {.tls = nullptr, .max_sessions = 256, .on_trouble = {}}),
      tasks_(io_.get_executor(), {}),
      started_(std::chrono::system_clock::now()),
      running_(shards.size()) {}

base::result<base::endpoint_config> control::listen(const base::endpoint_config& address) {
    return listener_.open(address);
}

void control::run() {
    driver_.start();
    listener_.start();
    wait_for_signal();
    io_.run();
}

void control::wait_for_signal() {
    signals_.async_wait([this](boost::system::error_code ec, int number) {
        if (!ec) {
            on_signal(number);
            wait_for_signal();
        }
    });
}

void control::each(void (*what)(shard&)) {
    for (const auto& one : shards_) {
        one->post([&s = *one, what] { what(s); });
    }
}

void control::after(std::chrono::milliseconds delay, timer& on, void (control::*then)()) {
    on.expires_after(delay);
    on.async_wait([this, then](boost::system::error_code ec) {
        if (!ec) {
            (this->*then)();
        }
    });
}

void control::on_signal(int number) {
    if (number == SIGHUP) {
        log_.warn("SIGHUP is ignored: restart the gateway to read its configuration again");
    } else if (draining_) {
        log_.warn("ending now");
        kill();
    } else {
        draining_ = true;
        log_.info("draining",
                  {{"signal", number == SIGTERM ? std::string_view("SIGTERM") : std::string_view("SIGINT")}});
        each([](shard& s) { s.announce_drain(); });
        for (const auto& one : shards_) {
            one->post(
                [this, &s = *one] { s.finish([this] { boost::asio::post(io_, [this] { shard_finished(); }); }); });
        }
        report_progress();
        after(number == SIGTERM ? shared_.settings->limits.drain_grace : std::chrono::milliseconds(0), step_,
              &control::close_listeners);
    }
    log_.flush();
}

void control::close_listeners() {
    each([](shard& s) { s.stop_accepting(); });
    after(shared_.settings->limits.drain_timeout, step_, &control::on_deadline);
}

void control::on_deadline() {
    log_.warn("the drain deadline is reached: open requests are ended");
    each([](shard& s) { s.abort_requests(); });
    after(last_words, step_, &control::kill);
}

void control::kill() {
    each([](shard& s) {
        s.stop_accepting();
        s.abort_requests();
        s.kill();
    });
}

void control::report_progress() {
    after(progress_interval, progress_, &control::report_progress);
    for (const auto& one : shards_) {
        one->post([this, &s = *one] {
            boost::asio::post(io_, [this, left = s.sessions()] {
                if (left != 0 && running_ != 0) {
                    log_.info("draining", {{"connections_left", left}});
                }
            });
        });
    }
}

void control::shard_finished() {
    if (--running_ != 0) {
        return;
    }
    // Nothing is left to wait for: what is pending here ends, and with it the loop.
    boost::system::error_code ignored;
    signals_.cancel(ignored);
    step_.cancel();
    progress_.cancel();
    listener_.close();
    listener_.kill();
    driver_.stop();
}

std::string_view control::obstacle() const noexcept {
    if (draining_) {
        return "draining";
    }
    // Without Redis the gateway serves: it is an obstacle only to those who say so.
    const bool alone = shared_.redis != nullptr && shared_.redis_up.load(std::memory_order_relaxed) == 0;
    return alone && shared_.settings->redis.required ? "redis is away (redis.required)" : "";
}

bool control::all_turn() const noexcept {
    const auto now = std::chrono::steady_clock::now();
    return std::all_of(shards_.begin(), shards_.end(),
                       [now](const auto& one) { return now - one->last_turn() < longest_turn; });
}

base::task<std::string> control::metrics_page() {
    base::metrics all;
    for (const auto& one : shards_) {
        if (draining_) {
            break;  // a shard that has ended answers no more
        }
        base::event copied(io_.get_executor());
        base::metrics copy;
        one->post([this, &s = *one, &copy, &copied] {
            copy = s.snapshot();
            boost::asio::post(io_, [&copied] { copied.ring(); });
        });
        co_await copied.wait();
        all.merge(copy);
    }
    const storage::usage_flusher_counters flushed = shared_.flusher->counters();
    all.usage_flush_failures = flushed.failures;
    all.usage_quarantined = flushed.quarantined;
    if (shared_.spools) {
        all.spool_bytes = static_cast<std::int64_t>(shared_.spools->budget().used.load(std::memory_order_relaxed));
        all.spool_limit_bytes = static_cast<std::int64_t>(shared_.spools->budget().limit);
    }
    base::process_info process;
    process.version = CONCURRED_VERSION;
    process.started = started_;
    process.usage = base::read_process_usage();
    process.draining = draining_;
    process.log_lines_dropped = shared_.log_writer.dropped();
    co_return base::render_prometheus(all, process);
}

}  // namespace concurred::app
