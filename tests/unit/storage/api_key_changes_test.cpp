#include "storage/api_key_store.hpp"

#include "tests/unit/storage/support.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

using namespace concurred;
using namespace concurred::storage;
using namespace concurred::storage::test;

namespace {

constexpr owner_scope anybody = std::nullopt;

}  // namespace

TEST_SUITE("storage/api_key_changes") {
    TEST_CASE("changes are told in order, each key once with its latest state") {
        const temp_folder folder;
        opened_keys store(folder.file("k.db"));
        for (const char* id : {"key_a", "key_b", "key_c"}) {
            REQUIRE(store.keys->insert(key_row(id)).has_value());
        }
        REQUIRE(store.keys->update(anybody, "key_a", {.enabled = false}, 2'000).value().has_value());
        REQUIRE(store.keys->revoke(anybody, "key_b", 3'000).value().has_value());
        CHECK(store.keys->last_change().value() == 5);
        const auto rows = store.keys->changed_since(0).value();
        CHECK(ids(rows) == std::vector<std::string>{"key_c", "key_a", "key_b"});
        CHECK(rows[1].enabled == false);
        CHECK(rows[2].deleted_ms == 3'000);
        CHECK(ids(store.keys->changed_since(rows[1].change_number).value()) == std::vector<std::string>{"key_b"});
        CHECK(store.keys->changed_since(5).value().empty());
        CHECK(ids(store.keys->changed_since(0, 2).value()) == std::vector<std::string>{"key_c", "key_a"});
    }

    TEST_CASE("the time of last use moves forward only, in steps of five minutes, and is not a change") {
        const temp_folder folder;
        opened_keys store(folder.file("k.db"));
        REQUIRE(store.keys->insert(key_row("key_a")).has_value());
        const auto touch = [&](std::int64_t ms) {
            const std::vector<key_use> uses{{"key_a", ms}, {"key_unknown", ms}};
            REQUIRE(store.keys->touch_last_used(uses).has_value());
            return store.keys->find_by_id(anybody, "key_a").value()->last_used_ms;
        };
        CHECK(touch(1'000'000) == 1'000'000);
        CHECK(touch(1'000'000 + 299'999) == 1'000'000);
        CHECK(touch(900'000) == 1'000'000);
        CHECK(touch(1'000'000 + 300'000) == 1'300'000);
        CHECK(touch(0) == 1'300'000);
        CHECK(store.keys->last_change().value() == 1);
    }

    TEST_CASE("two processes that insert and change at the same time lose nothing and share one order") {
        const temp_folder folder;
        const std::string path = folder.file("k.db");
        { open_quick(path); }
        constexpr int per_child = 40;
        const auto work = [&path](int child) {
            sqlite_options options;
            options.durable = false;
            auto database = open_migrated(path, options).value();
            auto keys = make_sqlite_api_key_store(database).value();
            for (int i = 0; i < per_child; ++i) {
                const std::string id = "key_" + std::to_string(child) + "_" + std::to_string(i);
                if (!keys->insert(key_row(id)) || !keys->update(anybody, id, {.name = "renamed"}, 2'000)) {
                    return 1;
                }
            }
            return 0;
        };
        const pid_t first = start_child([&] { return work(1); });
        const pid_t second = start_child([&] { return work(2); });
        CHECK(join_child(first) == 0);
        CHECK(join_child(second) == 0);
        opened_keys store(path);
        CHECK(store.keys->count("owner-1").value() == 2 * per_child);
        CHECK(store.keys->last_change().value() == 4 * per_child);
        const auto rows = store.keys->changed_since(0).value();
        REQUIRE(rows.size() == 2 * per_child);
        for (std::size_t i = 1; i < rows.size(); ++i) {
            CHECK(rows[i - 1].change_number < rows[i].change_number);
        }
    }

    TEST_CASE("a change while another process holds the lock fails in bounded time and can be repeated") {
        const temp_folder folder;
        opened_keys store(folder.file("k.db"));
        opened_keys other(folder.file("k.db"));
        {
            auto held = sqlite_transaction::begin(other.database);
            REQUIRE(held.has_value());
            const auto inserted = store.keys->insert(key_row("key_a"));
            REQUIRE(!inserted.has_value());
            CHECK(inserted.error().code == base::errc::service_unavailable);
        }
        CHECK(store.keys->insert(key_row("key_a")).value() == insert_outcome::inserted);
    }
}
