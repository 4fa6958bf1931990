#include "bench/load_run.hpp"

#include "bench/descriptor_limit.hpp"

#include <algorithm>
#include <csignal>
#include <ctime>
#include <memory>
#include <thread>
#include <utility>

namespace concurred::bench {
namespace {

using clock = std::chrono::steady_clock;
using std::chrono::nanoseconds;

constexpr nanoseconds lead = std::chrono::milliseconds{50};        // for the threads to be there
constexpr nanoseconds idle_lead = std::chrono::microseconds{250};  // more for each connection that is opened before

nanoseconds own_cpu() noexcept {
    timespec spent{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
    return std::chrono::seconds{spent.tv_sec} + nanoseconds{spent.tv_nsec};
}

/// Something that is due at a time of the run.
struct due_step {
    nanoseconds at;
    const load_action* action;  // null: a reading
    bool resume;
};

std::vector<due_step> steps_of(const load_plan& plan) {
    std::vector<due_step> steps;
    const nanoseconds length = plan.what.length();
    for (nanoseconds at = plan.window; at < length; at += plan.window) {
        steps.push_back({at, nullptr, false});
    }
    steps.push_back({length, nullptr, false});
    for (const load_action& action : plan.what.actions) {
        const nanoseconds every = action.every.count() > 0 ? nanoseconds{action.every} : length;
        for (nanoseconds at = action.at; at < length; at += every) {
            steps.push_back({at, &action, false});
            if (action.pause.count() > 0) {
                steps.push_back({at + action.pause, &action, true});
            }
        }
    }
    std::ranges::stable_sort(steps, {}, &due_step::at);
    return steps;
}

/// Sleeps until `at`. \returns whether a signal came that ends the run
bool sleep_until(base::steady_time at, const sigset_t& ending) noexcept {
    for (;;) {
        const auto left = std::max(nanoseconds{0}, nanoseconds{at - clock::now()});
        const timespec time{static_cast<time_t>(left.count() / 1'000'000'000), left.count() % 1'000'000'000};
        if (::sigtimedwait(&ending, nullptr, &time) > 0) {
            return true;
        }
        if (clock::now() >= at) {
            return false;
        }
    }
}

load_reading read_now(const load_plan& plan, pid_t watched) {
    load_reading reading;
    reading.at = clock::now() - plan.begin;
    reading.own_cpu = own_cpu();
    if (watched != 0) {
        reading.target = read_process_load(watched);
    }
    return reading;
}

/// Watches the run, and does what is due beside it. \returns whether a signal ended it
bool watch(const load_plan& plan, const load_surroundings& around, const sigset_t& ending, load_result& result) {
    if (sleep_until(plan.begin, ending)) {
        return true;
    }
    result.readings.push_back(read_now(plan, around.watched));
    for (const due_step& step : steps_of(plan)) {
        if (sleep_until(plan.begin + step.at, ending)) {
            return true;
        }
        if (step.action == nullptr) {
            result.readings.push_back(read_now(plan, around.watched));
        } else if (around.act) {
            around.act(*step.action, step.resume);
        }
    }
    return false;
}

}  // namespace

load_result run_load(load_plan& plan, const load_surroundings& around) {
    raise_descriptor_limit();
    std::signal(SIGPIPE, SIG_IGN);
    sigset_t ending;
    sigset_t before;
    ::sigemptyset(&ending);
    ::sigaddset(&ending, SIGINT);
    ::sigaddset(&ending, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &ending, &before);

    plan.begin = clock::now() + lead + plan.what.idle_connections * idle_lead;
    const auto began = std::chrono::system_clock::now();
    load_result result{load_figures(plan.what.kinds.size(), plan.begin, plan.begin + plan.what.warmup,
                                    plan.begin + plan.what.length(), plan.window),
                       around.watched == 0 ? std::nullopt : read_process_load(around.watched),
                       {},
                       {},
                       false,
                       began};
    std::vector<std::unique_ptr<load_worker>> workers;
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < plan.what.threads; ++i) {
        workers.push_back(std::make_unique<load_worker>(plan, i));
    }
    for (const auto& worker : workers) {
        threads.emplace_back([&worker] { worker->run(); });
    }
    result.interrupted = watch(plan, around, ending, result);
    for (std::size_t i = 0; i < workers.size(); ++i) {
        if (result.interrupted) {
            workers[i]->stop();
        }
        threads[i].join();
        result.figures.merge(workers[i]->figures());
        if (result.fault.empty()) {
            result.fault = workers[i]->fault();
        }
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return result;
}

}  // namespace concurred::bench
