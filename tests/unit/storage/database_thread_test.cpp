#include "storage/database_thread.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace concurred::storage;
using namespace std::chrono_literals;

namespace {

/// Holds the thread in a job until it is opened.
class gate {
public:
    explicit gate(database_thread& thread) {
        std::promise<void> entered;
        auto inside = entered.get_future();
        REQUIRE(thread.post([opened = opened_.get_future(), entered = std::move(entered)]() mutable {
            entered.set_value();
            opened.wait();
        }));
        inside.wait();
    }
    void open() { opened_.set_value(); }

private:
    std::promise<void> opened_;
};

}  // namespace

TEST_SUITE("storage/database_thread") {
    TEST_CASE("jobs run one at a time, in order, on one thread that is not the caller's") {
        database_thread thread;
        std::vector<int> order;
        std::vector<std::thread::id> where;
        for (int i = 0; i < 100; ++i) {
            REQUIRE(thread.post([&, i] {
                order.push_back(i);
                where.push_back(std::this_thread::get_id());
            }));
        }
        thread.stop();
        REQUIRE(order.size() == 100);
        for (int i = 0; i < 100; ++i) {
            CHECK(order[static_cast<std::size_t>(i)] == i);
            CHECK(where[static_cast<std::size_t>(i)] == where[0]);
        }
        CHECK(where[0] != std::this_thread::get_id());
        CHECK(thread.queued() == 0);
    }

    TEST_CASE("jobs may own what can only be moved, and it is gone when they are done") {
        database_thread thread;
        auto owned = std::make_shared<int>(7);
        const std::weak_ptr<int> watch = owned;
        std::promise<int> answer;
        auto future = answer.get_future();
        REQUIRE(thread.post([p = std::make_unique<std::shared_ptr<int>>(std::move(owned)),
                             a = std::move(answer)]() mutable { a.set_value(**p); }));
        CHECK(future.get() == 7);
        thread.stop();
        CHECK(watch.expired());
    }

    TEST_CASE("a full queue refuses jobs until one is done, the running one counted") {
        database_thread thread(3);
        gate held(thread);
        std::atomic<int> ran{0};
        CHECK(thread.post([&] { ++ran; }));
        CHECK(thread.post([&] { ++ran; }));
        CHECK(thread.queued() == 3);
        auto refused = std::make_shared<int>(1);
        const std::weak_ptr<int> watch = refused;
        CHECK(!thread.post([r = std::move(refused)] { CHECK(*r == 2); }));
        CHECK(watch.expired());
        held.open();
        thread.stop();
        CHECK(ran == 2);
    }

    TEST_CASE("stopping runs what is queued and refuses what comes later, from jobs too") {
        database_thread thread;
        auto held = std::make_unique<gate>(thread);
        std::atomic<int> ran{0};
        std::atomic<bool> refused{false};
        for (int i = 0; i < 10; ++i) {
            REQUIRE(thread.post([&] { ++ran; }));
        }
        std::promise<void> stopping;
        std::thread stopper([&] {
            stopping.set_value();
            thread.stop();
        });
        stopping.get_future().wait();
        // Until the stopper has come through, jobs are still taken: try until one is refused.
        int extra = 0;
        while (thread.post([&] { ++ran; })) {
            ++extra;
            std::this_thread::yield();
            if (extra == 4'000) {
                break;
            }
        }
        held->open();
        stopper.join();
        CHECK(ran == 10 + extra);
        refused = !thread.post([] {});
        CHECK(refused);
        thread.stop();  // again: nothing happens
    }

    TEST_CASE("a job that throws is counted and does not end the thread") {
        database_thread thread;
        std::promise<void> after;
        REQUIRE(thread.post([] { throw std::runtime_error("a bug"); }));
        REQUIRE(thread.post([&] { after.set_value(); }));
        after.get_future().wait();
        CHECK(thread.failed() == 1);
    }

    TEST_CASE("periodic jobs run again and again, on the thread, until it stops") {
        database_thread thread;
        std::promise<void> thrice;
        int calls = 0;
        thread.every(1ms, [&] {
            if (++calls == 3) {
                thrice.set_value();
            }
        });
        thrice.get_future().wait();
        thread.stop();
        CHECK(calls >= 3);
    }

    TEST_CASE("a periodic job that is always due does not starve posted jobs, nor they it") {
        database_thread thread;
        std::atomic<bool> done{false};
        std::promise<void> both;
        std::atomic<int> calls{0};
        thread.every(1ms, [&] {
            const auto until = std::chrono::steady_clock::now() + 2ms;  // longer than its interval
            while (std::chrono::steady_clock::now() < until) {
            }
            ++calls;
        });
        std::atomic<int> posted{0};
        std::function<void()> again = [&] {
            if (++posted >= 50 && calls >= 5 && !done.exchange(true)) {
                both.set_value();
            } else if (!done) {
                (void)thread.post([&] { again(); });
            }
        };
        REQUIRE(thread.post([&] { again(); }));
        both.get_future().wait();
        CHECK(calls >= 5);
        CHECK(posted >= 50);
    }

    TEST_CASE("many threads may post") {
        database_thread thread(100'000);
        int sum = 0;  // not atomic: only the thread touches it
        std::vector<std::thread> posters;
        for (int t = 0; t < 4; ++t) {
            posters.emplace_back([&] {
                for (int i = 0; i < 1'000; ++i) {
                    while (!thread.post([&] { ++sum; })) {
                    }
                }
            });
        }
        for (std::thread& poster : posters) {
            poster.join();
        }
        thread.stop();
        CHECK(sum == 4'000);
    }
}
