#include "auth/key_state.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

using namespace concurred::auth;

TEST_SUITE("auth/key_state") {
    TEST_CASE("a key has one state, at one address, for the life of the table") {
        key_state_table table;
        key_state& first = table.state_for("key_1");
        for (int i = 2; i < 2'000; ++i) {
            CHECK(&table.state_for("key_" + std::to_string(i)) != &first);
        }
        CHECK(&table.state_for("key_1") == &first);
        CHECK(table.size() == 1'999);
        CHECK(reinterpret_cast<std::uintptr_t>(&first) % 64 == 0);
    }

    TEST_CASE("an invalidation stamps its key with a new epoch and no other") {
        key_state_table table;
        key_state& a = table.state_for("a");
        key_state& b = table.state_for("b");
        CHECK(a.generation() == 0);
        table.invalidate("a");
        CHECK(a.generation() == table.epoch());
        CHECK(a.generation() > 0);
        CHECK(b.generation() == 0);
        const std::uint64_t before = a.generation();
        table.invalidate("a");
        CHECK(a.generation() > before);
    }

    TEST_CASE("invalidating a key that nobody has seen makes no state, but reaches fills under way") {
        key_state_table table;
        const std::uint64_t before = table.epoch();
        table.invalidate("unseen");
        CHECK(table.size() == 0);
        CHECK(table.state_for("unseen").generation() > before);
        CHECK(table.state_for("unseen").generation() <= table.epoch());
    }

    TEST_CASE("invalidating all stamps the keys seen and those still to be seen") {
        key_state_table table;
        key_state& a = table.state_for("a");
        const std::uint64_t before = table.epoch();
        table.invalidate_all();
        CHECK(a.generation() > before);
        CHECK(table.state_for("b").generation() > before);
        CHECK(table.unseen_epoch() == table.epoch());
    }

    TEST_CASE("path cells are apart from each other and stay where they are") {
        key_state state;
        std::atomic<std::int64_t>* const first = state.path_cell(0);
        REQUIRE(first != nullptr);
        CHECK(state.path_cell(max_path_classes - 1) != first);
        CHECK(first->load() == 0);
        CHECK(state.path_cell(0) == first);
    }

    TEST_CASE("a fill that read before the change is told so, whatever the threads do") {
        // A store of one value; the writer changes it and then invalidates; readers fill as a cache does. Whatever they
        // may keep under the current generation must be the current value.
        key_state_table table;
        std::atomic<int> stored{0};
        std::atomic<bool> done{false};
        std::atomic<int> wrong{0};
        {
            std::vector<std::jthread> readers;
            for (int t = 0; t < 3; ++t) {
                readers.emplace_back([&] {
                    while (!done.load(std::memory_order_relaxed)) {
                        const std::uint64_t ticket = table.epoch();
                        const int read = stored.load(std::memory_order_relaxed);
                        const std::uint64_t generation = table.state_for("key").generation();
                        if (generation > ticket) {
                            continue;
                        }
                        // The n-th invalidation follows the n-th change.
                        if (read < static_cast<int>(generation)) {
                            wrong.fetch_add(1);
                        }
                    }
                });
            }
            for (int i = 1; i <= 20'000; ++i) {
                stored.store(i, std::memory_order_relaxed);
                table.invalidate("key");
            }
            done.store(true);
        }
        CHECK(wrong.load() == 0);
        CHECK(table.state_for("key").generation() == 20'000);
    }
}
