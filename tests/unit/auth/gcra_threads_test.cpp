#include "auth/address_limits.hpp"
#include "auth/gcra.hpp"
#include "auth/key_state.hpp"
#include "auth/limits.hpp"

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <barrier>
#include <thread>
#include <vector>

using namespace concurred::auth;
using std::chrono::seconds;

namespace {

constexpr int thread_count = 4;

/// Runs `work(thread)` on all threads from one common start and adds up what they return.
template <class Work>
std::int64_t on_all_threads(Work work) {
    std::barrier start(thread_count);
    std::array<std::int64_t, thread_count> counts{};
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < thread_count; ++t) {
            threads.emplace_back([&, t] {
                start.arrive_and_wait();
                counts[static_cast<std::size_t>(t)] = work(t);
            });
        }
    }
    std::int64_t sum = 0;
    for (const std::int64_t count : counts) {
        sum += count;
    }
    return sum;
}

principal make_key(key_state& state, std::uint32_t rate_limit) {
    return make_principal({.owner = "owner", .key_id = "key_1", .rate_limit = rate_limit}, state).value();
}

}  // namespace

TEST_SUITE("auth/gcra over threads") {
    TEST_CASE("on a frozen clock all threads together get exactly the burst, in a million tries") {
        const gcra_limit limit(100'000, seconds{60});
        std::atomic<std::int64_t> tat{0};
        const std::int64_t admitted = on_all_threads([&](int) {
            std::int64_t mine = 0;
            for (int i = 0; i < 250'000; ++i) {
                mine += try_acquire(tat, limit, 1'000'000'000).allowed ? 1 : 0;
            }
            return mine;
        });
        CHECK(admitted == 100'000);
    }

    TEST_CASE("units of different costs add up exactly") {
        const gcra_limit limit(100'000, seconds{60});
        std::atomic<std::int64_t> tat{0};
        const std::int64_t taken = on_all_threads([&](int thread) {
            const auto cost = static_cast<std::uint32_t>(thread + 1);
            std::int64_t mine = 0;
            for (int i = 0; i < 100'000; ++i) {
                mine += try_acquire(tat, limit, 1'000'000'000, cost).allowed ? cost : 0;
            }
            return mine;
        });
        CHECK(taken == 100'000);  // the thread with cost 1 takes what the others leave
    }

    TEST_CASE("on a running clock no more than the burst and the refill gets through, and all of it does") {
        const gcra_limit limit(1'000, seconds{1});  // 1 ms each
        std::atomic<std::int64_t> tat{0};
        std::atomic<std::int64_t> clock{1'000'000'000};
        const std::int64_t admitted = on_all_threads([&](int) {
            std::int64_t mine = 0;
            for (int i = 0; i < 100'000; ++i) {
                const std::int64_t now = clock.fetch_add(25, std::memory_order_relaxed);
                mine += try_acquire(tat, limit, now).allowed ? 1 : 0;
            }
            return mine;
        });
        const std::int64_t elapsed_us = thread_count * 100'000 * 25;
        CHECK(admitted <= 1'000 + elapsed_us / 1'000);
        CHECK(admitted >= 1'000 + elapsed_us / 1'000 - 1);  // the last unit may be due after the last try
    }

    TEST_CASE("what is taken and given back leaves the bucket full") {
        const gcra_limit limit(1'000, seconds{60});
        std::atomic<std::int64_t> tat{0};
        on_all_threads([&](int) {
            for (int i = 0; i < 100'000; ++i) {
                if (try_acquire(tat, limit, 1'000'000'000).allowed) {
                    refund(tat, limit, 1'000'000'000);
                }
            }
            return 0;
        });
        CHECK(would_acquire(tat, limit, 1'000'000'000, 0).remaining == 1'000);
    }

    TEST_CASE("key and path limits together admit exactly what the tighter one has, and take it from both") {
        key_state_table table;
        key_state& state = table.state_for("key_1");
        const principal who = make_key(state, 60);
        const rate_limiter limiter = rate_limiter::make({}).value();
        const path_class chat = limiter.class_of("/api/chat");
        const std::int64_t admitted = on_all_threads([&](int) {
            std::int64_t mine = 0;
            for (int i = 0; i < 50'000; ++i) {
                mine += limiter.admit(who, chat, 1'000'000'000).allowed ? 1 : 0;
            }
            return mine;
        });
        CHECK(admitted == 10);
        CHECK(would_acquire(state.tat, who.limit, 1'000'000'000, 0).remaining == 50);
    }

    TEST_CASE("threads that meet in the first use of a path's cell share it") {
        for (int round = 0; round < 200; ++round) {
            key_state state;
            std::array<std::atomic<std::int64_t>*, thread_count> cells{};
            on_all_threads([&](int thread) {
                cells[static_cast<std::size_t>(thread)] = state.path_cell(3);
                return 0;
            });
            for (const auto* cell : cells) {
                REQUIRE(cell == cells[0]);
            }
        }
    }

    TEST_CASE("an address that is known gets exactly its limit from all threads") {
        address_limiter limiter(gcra_limit(1'000, seconds{60}), 42, 0);
        const auto address = client_address::v4(std::array<std::uint8_t, 4>{192, 0, 2, 1});
        CHECK(limiter.try_acquire(address, 1'000'000'000).allowed);
        const std::int64_t admitted = on_all_threads([&](int) {
            std::int64_t mine = 0;
            for (int i = 0; i < 50'000; ++i) {
                mine += limiter.try_acquire(address, 1'000'000'000).allowed ? 1 : 0;
            }
            return mine;
        });
        CHECK(admitted == 999);
    }

    TEST_CASE("many addresses that come at once each get their limit, and at most one unit more per racing thread") {
        address_limiter limiter(gcra_limit(10, seconds{60}), 42, 0, 1'024);
        constexpr std::int64_t addresses = 300;
        const std::int64_t admitted = on_all_threads([&](int) {
            std::int64_t mine = 0;
            for (int i = 0; i < 50; ++i) {
                for (std::uint16_t n = 0; n < addresses; ++n) {
                    const auto address = client_address::v4(std::array<std::uint8_t, 4>{
                        10, 0, static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n & 0xff)});
                    mine += limiter.try_acquire(address, 1'000'000'000).allowed ? 1 : 0;
                }
            }
            return mine;
        });
        CHECK(admitted >= addresses * 10);
        CHECK(admitted <= addresses * (10 + thread_count - 1));
    }
}
