#include "storage/api_key_store.hpp"

#include "tests/unit/storage/support.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>

using namespace concurred;
using namespace concurred::storage;
using namespace concurred::storage::test;

namespace {

constexpr owner_scope anybody = std::nullopt;
constexpr std::uint32_t plenty = 50;
constexpr std::int64_t now = 5'000;

struct fixture {
    fixture() {
        api_key_row old = key_row("old");
        old.rate_limit = 7;
        old.meta = R"({"plan":"x"})";
        old.last_used_ms = 4'000;
        REQUIRE(store.keys->insert(old).value() == insert_outcome::inserted);
    }

    rotation rotate(std::int64_t grace_ms, owner_scope scope = anybody, std::uint32_t most = plenty) {
        return store.keys->rotate(scope, "old", key_row("new"), grace_ms, most, now).value();
    }
    std::optional<api_key_row> row(const std::string& id) { return store.keys->find_by_id(anybody, id).value(); }

    temp_folder folder;
    opened_keys store{folder.file("k.db")};
};

}  // namespace

TEST_SUITE("storage/api_key_store rotation") {
    TEST_CASE("the new key has all of the old one but its id, its hash and its past") {
        fixture f;
        const rotation done = f.rotate(1'000);
        REQUIRE(done.old.has_value());
        CHECK(done.outcome == insert_outcome::inserted);
        const auto made = f.row("new");
        REQUIRE(made.has_value());
        CHECK(made->hash == "hash-of-new");
        CHECK(made->rate_limit == 7);
        CHECK(made->meta == R"({"plan":"x"})");
        CHECK(made->owner_id == "owner-1");
        CHECK(made->created_ms == now);
        CHECK_FALSE(made->last_used_ms.has_value());
        CHECK_FALSE(made->expires_ms.has_value());
    }

    TEST_CASE("the old key ends with its grace, never later than it would have") {
        fixture f;
        SUBCASE("it had no end") {
            CHECK(f.rotate(1'000).old->expires_ms == now + 1'000);
            CHECK(f.row("old")->expires_ms == now + 1'000);
        }
        SUBCASE("its end was earlier") {
            api_key_patch patch;
            patch.expires_ms.emplace(now + 10);
            REQUIRE(f.store.keys->update(anybody, "old", patch, now).value().has_value());
            CHECK(f.rotate(1'000).old->expires_ms == now + 10);
        }
        SUBCASE("no grace: it is revoked") {
            CHECK(f.rotate(0).old->deleted_ms == now);
            CHECK_FALSE(f.row("old").has_value());
        }
    }

    TEST_CASE("both changes are seen by whoever follows the changes") {
        fixture f;
        const auto before = f.store.keys->last_change().value();
        static_cast<void>(f.rotate(1'000));
        CHECK(ids(f.store.keys->changed_since(before).value()) == std::vector<std::string>{"old", "new"});
    }

    TEST_CASE("a key of somebody else, or none, is not rotated, and nothing is made") {
        fixture f;
        CHECK_FALSE(f.rotate(1'000, "owner-2").old.has_value());
        CHECK_FALSE(f.store.keys->rotate(anybody, "gone", key_row("new"), 0, plenty, now).value().old.has_value());
        CHECK_FALSE(f.row("new").has_value());
        CHECK_FALSE(f.row("old")->expires_ms.has_value());
    }

    TEST_CASE("a rotation that finds no room, or a hash that is taken, leaves the old key as it was") {
        fixture f;
        CHECK(f.rotate(1'000, anybody, 1).outcome == insert_outcome::owner_full);
        CHECK_FALSE(f.row("old")->expires_ms.has_value());
        REQUIRE(f.store.keys->insert(key_row("new", "owner-2")).value() == insert_outcome::inserted);
        CHECK(f.rotate(1'000).outcome == insert_outcome::duplicate);
        CHECK_FALSE(f.row("old")->expires_ms.has_value());
    }

    TEST_CASE("keys whose time is over do not count against the ceiling") {
        fixture f;
        static_cast<void>(f.rotate(1'000));
        api_key_row third = key_row("third");
        third.created_ms = now;
        CHECK(f.store.keys->insert(third, 2).value() == insert_outcome::owner_full);
        third.created_ms = now + 1'000;
        CHECK(f.store.keys->insert(third, 2).value() == insert_outcome::inserted);
        CHECK(f.store.keys->count("owner-1").value() == 3);
    }
}
