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

TEST_SUITE("storage/api_key_store") {
    TEST_CASE("a key is found by its hash with every field as it was stored") {
        const temp_folder folder;
        opened_keys store(folder.file("k.db"));
        api_key_row row;
        row.id = "key_0123456789abcdef";
        row.hash = "GqJbm+lGuB/lkFJPSSQLIg7RHkqIoc5O/lC0Zn53J3o=";  // of ck_8DfbjXLth7APvt3qQPgtf
        row.start = "ck_8Dfb";
        row.name = "Robert'); DROP TABLE api_key;-- \xe2\x98\x83";
        row.owner_id = "3f1c9a4e-0000-4000-8000-000000000001";
        row.enabled = false;
        row.expires_ms = 1'900'000'000'000;
        row.rate_limit = 1'000'000;
        row.rate_window_ms = 1'000;
        row.meta = R"({"rateLimit":100})";
        row.permissions = R"(["chat"])";
        row.created_ms = 1'800'000'000'000;
        row.updated_ms = 1'800'000'000'001;
        row.last_used_ms = 1'800'000'000'002;
        REQUIRE(store.keys->insert(row).value() == insert_outcome::inserted);
        const auto found = store.keys->find_by_hash(row.hash).value();
        REQUIRE(found.has_value());
        CHECK(found->id == row.id);
        CHECK(found->hash == row.hash);
        CHECK(found->start == row.start);
        CHECK(found->name == row.name);
        CHECK(found->owner_id == row.owner_id);
        CHECK(found->enabled == false);
        CHECK(found->expires_ms == row.expires_ms);
        CHECK(found->rate_limit == 1'000'000);
        CHECK(found->rate_window_ms == 1'000);
        CHECK(found->meta == row.meta);
        CHECK(found->permissions == row.permissions);
        CHECK(found->created_ms == row.created_ms);
        CHECK(found->updated_ms == row.updated_ms);
        CHECK(found->deleted_ms == std::nullopt);
        CHECK(found->last_used_ms == row.last_used_ms);
        CHECK(found->change_number == 1);
    }

    TEST_CASE("an unknown key is an empty answer, a missing table is an error") {
        const temp_folder folder;
        opened_keys store(folder.file("k.db"));
        CHECK(store.keys->find_by_hash("nothing").value() == std::nullopt);
        CHECK(store.keys->find_by_id(anybody, "key_none").value() == std::nullopt);
        CHECK(store.keys->update(anybody, "key_none", {.name = "x"}, 1).value() == std::nullopt);
        CHECK(store.keys->revoke(anybody, "key_none", 1).value() == std::nullopt);
        CHECK(store.keys->last_change().value() == 0);
        REQUIRE(store.database.execute("DROP TABLE api_key").has_value());
        const auto failed = store.keys->find_by_hash("nothing");
        REQUIRE(!failed.has_value());
        CHECK(failed.error().message.find("no such table: api_key") != std::string::npos);
    }

    TEST_CASE("an id or a hash that is taken is not stored again") {
        const temp_folder folder;
        opened_keys store(folder.file("k.db"));
        REQUIRE(store.keys->insert(key_row("key_a")).value() == insert_outcome::inserted);
        CHECK(store.keys->insert(key_row("key_a", "owner-2")).value() == insert_outcome::duplicate);
        api_key_row same_hash = key_row("key_b");
        same_hash.hash = key_row("key_a").hash;
        CHECK(store.keys->insert(same_hash).value() == insert_outcome::duplicate);
        CHECK(store.keys->list(anybody).value().size() == 1);
        CHECK(store.keys->last_change().value() == 1);
    }

    TEST_CASE("an owner has at most as many keys as it may have, revoked ones not counted") {
        const temp_folder folder;
        opened_keys store(folder.file("k.db"));
        CHECK(store.keys->insert(key_row("key_a"), 2).value() == insert_outcome::inserted);
        CHECK(store.keys->insert(key_row("key_b"), 2).value() == insert_outcome::inserted);
        CHECK(store.keys->insert(key_row("key_c"), 2).value() == insert_outcome::owner_full);
        CHECK(store.keys->insert(key_row("key_d", "owner-2"), 2).value() == insert_outcome::inserted);
        CHECK(store.keys->count("owner-1").value() == 2);
        REQUIRE(store.keys->revoke(anybody, "key_a", 5).value().has_value());
        CHECK(store.keys->count("owner-1").value() == 1);
        CHECK(store.keys->insert(key_row("key_c"), 2).value() == insert_outcome::inserted);
    }

    TEST_CASE("an owner does not see, change or revoke the key of another") {
        const temp_folder folder;
        opened_keys store(folder.file("k.db"));
        REQUIRE(store.keys->insert(key_row("key_a", "owner-1")).has_value());
        CHECK(store.keys->find_by_id("owner-2", "key_a").value() == std::nullopt);
        CHECK(store.keys->update("owner-2", "key_a", {.enabled = false}, 9).value() == std::nullopt);
        CHECK(store.keys->revoke("owner-2", "key_a", 9).value() == std::nullopt);
        CHECK(store.keys->list("owner-2").value().empty());
        CHECK(store.keys->count("owner-2").value() == 0);
        const auto row = store.keys->find_by_id("owner-1", "key_a").value();
        REQUIRE(row.has_value());
        CHECK(row->enabled);
        CHECK(row->change_number == 1);
        CHECK(store.keys->find_by_id("", "key_a").value() ==
              std::nullopt);  // an empty owner is an owner, not everybody
    }

    TEST_CASE("a patch changes the named fields only") {
        struct row {
            const char* what;
            void (*ask)(api_key_patch&);
            void (*expect)(api_key_row&);
        };
        const row rows[] = {
            {"name", [](api_key_patch& p) { p.name = "new"; }, [](api_key_row& r) { r.name = "new"; }},
            {"empty name", [](api_key_patch& p) { p.name = ""; }, [](api_key_row& r) { r.name.clear(); }},
            {"limit", [](api_key_patch& p) { p.rate_limit = 7; }, [](api_key_row& r) { r.rate_limit = 7; }},
            {"enabled", [](api_key_patch& p) { p.enabled = false; }, [](api_key_row& r) { r.enabled = false; }},
            {"expiry", [](api_key_patch& p) { p.expires_ms = 99; }, [](api_key_row& r) { r.expires_ms = 99; }},
            {"no expiry", [](api_key_patch& p) { p.expires_ms.emplace(); },
             [](api_key_row& r) { r.expires_ms.reset(); }},
        };
        for (const row& r : rows) {
            CAPTURE(r.what);
            const temp_folder folder;
            opened_keys store(folder.file("k.db"));
            api_key_row before = key_row("key_a");
            before.expires_ms = 77;
            api_key_row expected = before;
            r.expect(expected);
            api_key_patch patch;
            r.ask(patch);
            REQUIRE(store.keys->insert(before).has_value());
            const auto answered = store.keys->update(anybody, "key_a", patch, 2'000).value();
            REQUIRE(answered.has_value());
            const auto stored = store.keys->find_by_id(anybody, "key_a").value();
            REQUIRE(stored.has_value());
            for (const api_key_row* got : {&*answered, &*stored}) {
                CHECK(got->name == expected.name);
                CHECK(got->rate_limit == expected.rate_limit);
                CHECK(got->enabled == expected.enabled);
                CHECK(got->expires_ms == expected.expires_ms);
                CHECK(got->hash == before.hash);
                CHECK(got->created_ms == 1'000);
                CHECK(got->updated_ms == 2'000);
                CHECK(got->change_number == 2);
            }
        }
    }

    TEST_CASE("a patch that changes nothing is not a change") {
        const temp_folder folder;
        opened_keys store(folder.file("k.db"));
        REQUIRE(store.keys->insert(key_row("key_a")).has_value());
        CHECK(store.keys->update(anybody, "key_a", {}, 2'000).value()->updated_ms == 1'000);
        CHECK(store.keys->update(anybody, "key_a", {.name = "a key", .enabled = true}, 2'000).value()->updated_ms ==
              1'000);
        CHECK(store.keys->last_change().value() == 1);
    }

    TEST_CASE("a limit the schema does not allow is refused and changes nothing") {
        const temp_folder folder;
        opened_keys store(folder.file("k.db"));
        REQUIRE(store.keys->insert(key_row("key_a")).has_value());
        const auto updated = store.keys->update(anybody, "key_a", {.rate_limit = 0}, 2'000);
        REQUIRE(!updated.has_value());
        CHECK(updated.error().code == base::errc::conflict);
        CHECK(store.keys->find_by_id(anybody, "key_a").value()->rate_limit == 60);
        CHECK(store.keys->last_change().value() == 1);
    }

    TEST_CASE("revoking is for good: the key is gone from every answer and its hash cannot come back") {
        const temp_folder folder;
        opened_keys store(folder.file("k.db"));
        REQUIRE(store.keys->insert(key_row("key_a")).has_value());
        const auto revoked = store.keys->revoke("owner-1", "key_a", 5'000).value();
        REQUIRE(revoked.has_value());
        CHECK(revoked->deleted_ms == 5'000);
        CHECK(revoked->hash == "hash-of-key_a");
        CHECK(store.keys->find_by_hash("hash-of-key_a").value() == std::nullopt);
        CHECK(store.keys->find_by_id(anybody, "key_a").value() == std::nullopt);
        CHECK(store.keys->list("owner-1").value().empty());
        CHECK(store.keys->update(anybody, "key_a", {.enabled = true}, 6'000).value() == std::nullopt);
        CHECK(store.keys->revoke(anybody, "key_a", 6'000).value() == std::nullopt);
        CHECK(store.keys->insert(key_row("key_a")).value() == insert_outcome::duplicate);
        const auto all = store.keys->list("owner-1", {.include_revoked = true}).value();
        REQUIRE(all.size() == 1);
        CHECK(all[0].deleted_ms == 5'000);
    }

    TEST_CASE("lists are in the order of creation and can be read in pages") {
        const temp_folder folder;
        opened_keys store(folder.file("k.db"));
        const std::pair<const char*, std::int64_t> made[] = {
            {"key_c", 30}, {"key_a", 10}, {"key_d", 30}, {"key_b", 20}};
        for (const auto& [id, created] : made) {
            api_key_row row = key_row(id);
            row.created_ms = created;
            REQUIRE(store.keys->insert(row).has_value());
        }
        REQUIRE(store.keys->insert(key_row("key_z", "owner-2")).has_value());
        using names = std::vector<std::string>;
        CHECK(ids(store.keys->list("owner-1").value()) == names{"key_a", "key_b", "key_c", "key_d"});
        CHECK(ids(store.keys->list("owner-1", {.limit = 2, .offset = 1}).value()) == names{"key_b", "key_c"});
        CHECK(ids(store.keys->list("owner-1", {.limit = 2, .offset = 4}).value()).empty());
        CHECK(store.keys->list(anybody).value().size() == 5);
    }
}
