#include "bench/load_worker.hpp"

#include "bench/load_connection.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <cmath>
#include <exception>

namespace concurred::bench {
namespace {

using clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds adjust_every{20};  // how often a closed loop looks at its level

std::string text_of(const std::exception_ptr& failure) {
    try {
        std::rethrow_exception(failure);
    } catch (const std::exception& e) {
        return e.what();
    } catch (...) {
        return "an unknown exception";
    }
}

}  // namespace

load_worker::load_worker(const load_plan& plan, unsigned part)
    : plan_(plan),
      part_(part),
      wheel_(clock::now()),
      driver_(executor(), wheel_),
      timer_(executor()),
      tasks_(executor(), [this](std::exception_ptr failure) { fault_ = text_of(failure); }),
      figures_(plan.what.kinds.size(), plan.begin, plan.begin + plan.what.warmup, plan.begin + plan.what.length(),
               plan.window),
      random_(plan.what.seed * 1000 + part) {
    double sum = 0;
    for (const request_kind& kind : plan_.what.kinds) {
        weights_.push_back(sum += kind.weight);
    }
}

load_worker::~load_worker() = default;

void load_worker::run() {
    driver_.start();
    tasks_.spawn(conduct());
    context_.run();
}

void load_worker::stop() {
    boost::asio::post(context_, [this] {
        ending_ = true;
        timer_.cancel();
    });
}

unsigned load_worker::share_of(double whole) const noexcept {
    const auto all = static_cast<unsigned>(std::lround(whole));
    return all / plan_.what.threads + (part_ < all % plan_.what.threads ? 1 : 0);
}

load_job load_worker::make_job(base::steady_time planned) {
    const double ticket = random_.unit() * weights_.back();
    const auto found = std::ranges::upper_bound(weights_, ticket);
    const auto kind = static_cast<std::size_t>(std::min(found, weights_.end() - 1) - weights_.begin());
    const std::size_t keys = plan_.requests[kind].keys.size();
    return {kind, keys == 0 ? 0 : random_.below(keys), planned};
}

load_connection& load_worker::add_connection() {
    connections_.push_back(std::make_unique<load_connection>(*this));
    return *connections_.back();
}

base::task<> load_worker::pause_until(base::steady_time at) {
    timer_.expires_at(at);
    static_cast<void>(co_await timer_.async_wait(base::awaiting));
}

bool load_worker::take_job(load_connection& free, load_job& job) {
    if (over_) {
        return false;
    }
    if (!queue_.empty()) {
        job = queue_.front();
        queue_.pop_front();
        return true;
    }
    if (plan_.what.mode == load_mode::closed && !ending_ && busy_ <= wanted_) {
        const auto now = clock::now();
        figures_.plan(now, now);
        job = make_job(now);
        return true;
    }
    free_.push_back(&free);
    return false;
}

base::task<> load_worker::drive(load_connection& connection) {
    load_job job;
    for (;;) {
        ++busy_;
        while (connection.given || take_job(connection, job)) {
            if (connection.given) {
                job = *connection.given;
                connection.given.reset();
            }
            co_await connection.perform(job);
        }
        --busy_;
        if (over_) {
            co_return;
        }
        if (!connection.bell.take()) {
            co_await connection.bell.wait();
        }
        if (over_) {
            co_return;
        }
    }
}

base::task<> load_worker::start_open() {
    arrivals plan(plan_.what.stages, plan_.what.poisson, plan_.what.seed, part_, plan_.what.threads);
    const unsigned most = std::max(1U, share_of(plan_.what.connections));
    for (auto offset = plan.next(); offset && !ending_; offset = plan.next()) {
        const base::steady_time planned = plan_.begin + *offset;
        if (planned > clock::now()) {
            co_await pause_until(planned);
        }
        if (ending_) {
            break;
        }
        figures_.plan(planned, clock::now());
        const load_job job = make_job(planned);
        if (!free_.empty()) {
            load_connection& connection = *free_.back();
            free_.pop_back();
            connection.given = job;
            connection.bell.ring();
        } else if (connections_.size() < most) {
            load_connection& connection = add_connection();
            connection.given = job;
            tasks_.spawn(drive(connection));
        } else {
            figures_.waited();
            queue_.push_back(job);
        }
    }
}

base::task<> load_worker::start_closed() {
    const base::steady_time end = plan_.begin + plan_.what.length();
    for (auto now = clock::now(); now < end && !ending_; now = clock::now()) {
        wanted_ = share_of(level_at(plan_.what.stages, now - plan_.begin));
        for (std::size_t missing = wanted_ > busy_ ? wanted_ - busy_ : 0; missing > 0; --missing) {
            if (free_.empty()) {
                tasks_.spawn(drive(add_connection()));
            } else {
                free_.back()->bell.ring();
                free_.pop_back();
            }
        }
        co_await pause_until(std::min(end, clock::now() + adjust_every));
    }
}

base::task<> load_worker::hold_idle() {
    for (unsigned i = share_of(plan_.what.idle_connections); i > 0 && !ending_; --i) {
        co_await add_connection().only_connect();
    }
}

base::task<> load_worker::conduct() {
    co_await hold_idle();
    if (clock::now() < plan_.begin) {
        co_await pause_until(plan_.begin);
    }
    if (plan_.what.kinds.empty()) {
        co_await pause_until(plan_.begin + plan_.what.length());
    } else if (plan_.what.mode == load_mode::open) {
        co_await start_open();
    } else {
        co_await start_closed();
    }
    const base::steady_time end = plan_.begin + plan_.what.length();
    if (!ending_ && clock::now() < end) {
        co_await pause_until(end);
    }
    ending_ = true;
    const base::steady_time last = std::min(end, clock::now()) + plan_.what.drain;
    while ((busy_ > 0 || !queue_.empty()) && clock::now() < last) {
        co_await pause_until(std::min(last, clock::now() + adjust_every));
    }
    finish();
}

/// Everybody leaves. What was planned and never sent is over as well.
void load_worker::finish() {
    over_ = true;
    for (const load_job& job : queue_) {
        load_sample sample;
        sample.kind = job.kind;
        sample.what = outcome::unfinished;
        sample.planned = job.planned;
        sample.done = clock::now();
        figures_.end(sample);
    }
    queue_.clear();
    for (const auto& connection : connections_) {
        connection->cancel();
        connection->bell.ring();
    }
    driver_.stop();
}

}  // namespace concurred::bench
