#include "storage/key_changes.hpp"

#include "tests/unit/storage/support.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace concurred;
using namespace concurred::storage;
using namespace concurred::storage::test;

namespace {

using names = std::vector<std::string>;

}  // namespace

TEST_SUITE("storage/key_changes") {
    TEST_CASE("keys changed through another connection are told once") {
        const temp_folder folder;
        auto mine = open_quick(folder.file("k.db"));
        auto theirs = open_quick(folder.file("k.db"));
        auto my_keys = make_sqlite_api_key_store(mine).value();
        auto their_keys = make_sqlite_api_key_store(theirs).value();
        REQUIRE(their_keys->insert(key_row("key_old")).has_value());
        auto changes = make_sqlite_key_changes(mine, *my_keys).value();

        CHECK(changes->poll().value().empty());
        REQUIRE(their_keys->insert(key_row("key_new")).has_value());
        REQUIRE(their_keys->revoke(std::nullopt, "key_old", 5).value().has_value());
        const auto rows = changes->poll().value();
        CHECK(ids(rows) == names{"key_new", "key_old"});
        CHECK(rows[1].deleted_ms == 5);
        CHECK(changes->poll().value().empty());
    }

    TEST_CASE("changes of this connection and writes to other tables are not told") {
        const temp_folder folder;
        auto mine = open_quick(folder.file("k.db"));
        auto theirs = open_quick(folder.file("k.db"));
        auto my_keys = make_sqlite_api_key_store(mine).value();
        auto their_keys = make_sqlite_api_key_store(theirs).value();
        auto changes = make_sqlite_key_changes(mine, *my_keys).value();
        REQUIRE(my_keys->insert(key_row("key_mine")).has_value());
        CHECK(changes->poll().value().empty());
        REQUIRE(theirs.execute("DELETE FROM usage_daily; DELETE FROM usage_event").has_value());
        const std::vector<key_use> uses{{"key_mine", 10'000'000}};
        REQUIRE(their_keys->touch_last_used(uses).has_value());
        // Allowed to name our own change with a foreign one, but a use alone is none.
        for (const api_key_row& row : changes->poll().value()) {
            CHECK(row.id == "key_mine");
        }
        REQUIRE(their_keys->touch_last_used(std::vector<key_use>{{"key_mine", 20'000'000}}).has_value());
        CHECK(changes->poll().value().empty());
    }

    TEST_CASE("more changes than fit one page are all told") {
        const temp_folder folder;
        auto mine = open_quick(folder.file("k.db"));
        auto theirs = open_quick(folder.file("k.db"));
        auto my_keys = make_sqlite_api_key_store(mine).value();
        auto changes = make_sqlite_key_changes(mine, *my_keys).value();
        constexpr std::size_t many = 2'500;
        REQUIRE(theirs
                    .execute(
                        "BEGIN; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500) "
                        "INSERT INTO api_key SELECT 'key_' || i, i, '', '', 'o', 1, NULL, 60, 60000, '{}', '[]', 0, 0, "
                        "NULL, NULL, i, 0, 0, 0, 0 FROM n; UPDATE change_counter SET value = 2500; COMMIT")
                    .has_value());
        CHECK(changes->poll().value().size() == many);
        CHECK(changes->poll().value().empty());
    }

    TEST_CASE("a poll that fails loses no change") {
        const temp_folder folder;
        auto mine = open_quick(folder.file("k.db"));
        auto theirs = open_quick(folder.file("k.db"));
        auto my_keys = make_sqlite_api_key_store(mine).value();
        auto their_keys = make_sqlite_api_key_store(theirs).value();
        auto changes = make_sqlite_key_changes(mine, *my_keys).value();
        REQUIRE(their_keys->insert(key_row("key_a")).has_value());
        REQUIRE(theirs.execute("ALTER TABLE api_key RENAME TO hidden").has_value());
        CHECK(!changes->poll().has_value());
        REQUIRE(theirs.execute("ALTER TABLE hidden RENAME TO api_key").has_value());
        CHECK(ids(changes->poll().value()) == names{"key_a"});
    }

    TEST_CASE("a key revoked by another process is told") {
        const temp_folder folder;
        const std::string path = folder.file("k.db");
        {
            auto database = open_quick(path);
            REQUIRE(make_sqlite_api_key_store(database).value()->insert(key_row("key_a")).has_value());
        }
        int go[2];
        REQUIRE(::pipe(go) == 0);
        const pid_t child = start_child([&] {
            char byte = 0;
            if (::read(go[0], &byte, 1) != 1) {
                return 2;
            }
            auto database = open_quick(path);
            return make_sqlite_api_key_store(database).value()->revoke(std::nullopt, "key_a", 5).value() ? 0 : 1;
        });
        auto mine = open_quick(path);
        auto my_keys = make_sqlite_api_key_store(mine).value();
        auto changes = make_sqlite_key_changes(mine, *my_keys).value();
        REQUIRE(::write(go[1], "x", 1) == 1);
        CHECK(join_child(child) == 0);
        const auto rows = changes->poll().value();
        REQUIRE(rows.size() == 1);
        CHECK(rows[0].hash == "hash-of-key_a");
        CHECK(rows[0].deleted_ms == 5);
        ::close(go[0]);
        ::close(go[1]);
    }
}
