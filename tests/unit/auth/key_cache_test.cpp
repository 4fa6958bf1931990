#include "tests/unit/auth/key_cache_fixture.hpp"

#include <doctest/doctest.h>

using namespace concurred;
using namespace concurred::auth;
using namespace concurred::auth::test;
using namespace std::chrono_literals;

namespace {

const crypto::digest256 key = digest_of(1);

}  // namespace

TEST_SUITE("auth/key_cache") {
    TEST_CASE("an invalidated key is a miss from its next use on, and no other key is") {
        key_cache_fixture f;
        f.fill(key, "key_1");
        f.fill(digest_of(2), "key_2");
        f.table.invalidate("key_1");
        CHECK(f.state(key) == cache_state::miss);
        CHECK(f.state(digest_of(2)) == cache_state::fresh);
        f.fill(key, "key_1");
        CHECK(f.state(key) == cache_state::fresh);
        f.table.invalidate_all();
        CHECK(f.state(key) == cache_state::miss);
        CHECK(f.state(digest_of(2)) == cache_state::miss);
    }

    TEST_CASE("an invalidated key is not used on an error either") {
        key_cache_fixture f;
        f.fill(key);
        f.since = 300s;
        CHECK(f.state(key) == cache_state::stale_usable_only_on_error);
        f.table.invalidate("key_1");
        CHECK(f.state(key) == cache_state::miss);
    }

    TEST_CASE("caches of other shards see the invalidation too") {
        key_cache_fixture f;
        key_cache other(key_cache_fixture::round_ages(), f.table);
        other.finish_fill(other.begin_fill(f.now()), key, f.read(), f.now(), f.wall());
        CHECK(other.find(key, f.now(), f.wall()).state == cache_state::fresh);
        f.table.invalidate("key_1");
        CHECK(other.find(key, f.now(), f.wall()).state == cache_state::miss);
    }

    TEST_CASE("a fill that began before a change cannot bring the old state back") {
        SUBCASE("a refresh of a known key") {
            key_cache_fixture f;
            f.fill(key);
            const fill_ticket ticket = f.begin();
            const principal old = f.read();
            f.table.invalidate("key_1");
            CHECK(f.finish(ticket, key, old) == nullptr);
            CHECK(f.state(key) == cache_state::miss);
        }
        SUBCASE("the first fill of a key this process has never seen") {
            key_cache_fixture f;
            const fill_ticket ticket = f.begin();
            f.table.invalidate("key_1");  // revoked by somebody else; there is no state to stamp yet
            CHECK(f.finish(ticket, key, f.read()) == nullptr);
            CHECK(f.state(key) == cache_state::miss);
        }
        SUBCASE("all keys invalidated at once") {
            key_cache_fixture f;
            const fill_ticket ticket = f.begin();
            f.table.invalidate_all();
            CHECK(f.finish(ticket, key, f.read()) == nullptr);
        }
        SUBCASE("between the end of one fill and its next use") {
            key_cache_fixture f;
            REQUIRE(f.fill(key) != nullptr);
            f.table.invalidate("key_1");
            CHECK(f.state(key) == cache_state::miss);
        }
    }

    TEST_CASE("a fill that began after the change counts, and so does one while another key changes") {
        key_cache_fixture f;
        f.fill(key);
        f.table.invalidate("key_1");
        const fill_ticket ticket = f.begin();
        f.fill(digest_of(2), "key_2");
        f.table.invalidate("key_2");
        const principal* kept = f.finish(ticket, key, f.read("key_1", 0, 90));
        REQUIRE(kept != nullptr);
        CHECK(kept->limit.limit == 90);
        CHECK(f.find(key).who->limit.limit == 90);
    }

    TEST_CASE("of two fills the one that began later wins, whichever ends first") {
        key_cache_fixture f;
        const fill_ticket slow = f.begin();
        const principal old = f.read("key_1", 0, 60);
        f.since = 1s;
        f.finish(f.begin(), key, f.read("key_1", 0, 90));
        f.since = 2s;
        CHECK(f.finish(slow, key, old)->limit.limit == 90);
        CHECK(f.find(key).who->limit.limit == 90);
        CHECK(f.cache.finish_negative(slow, key));
        CHECK(f.state(key) == cache_state::fresh);
    }

    TEST_CASE("a bad key stays bad for ten seconds from when it was asked about") {
        key_cache_fixture f;
        const fill_ticket ticket = f.begin();
        f.since = 1s;
        CHECK(f.cache.finish_negative(ticket, key));
        CHECK(f.find(key).state == cache_state::negative);
        CHECK(f.find(key).who == nullptr);
        f.since = 9'999ms;
        CHECK(f.state(key) == cache_state::negative);
        f.since = 10'000ms;
        CHECK(f.state(key) == cache_state::miss);
        CHECK(f.cache.negative_size() == 0);
    }

    TEST_CASE("creating a key makes the shard forget that it was bad") {
        key_cache_fixture f;
        f.cache.finish_negative(f.begin(), key);
        f.cache.forget_negative(key);
        CHECK(f.state(key) == cache_state::miss);

        // Asked before the creation, answered after it.
        const fill_ticket ticket = f.begin();
        f.table.invalidate("key_1");
        f.cache.forget_negative(key);
        CHECK_FALSE(f.cache.finish_negative(ticket, key));
        CHECK(f.state(key) == cache_state::miss);
    }

    TEST_CASE("enabling a disabled key again counts at once") {
        key_cache_fixture f;
        SUBCASE("never seen valid here") {}
        SUBCASE("or seen valid before, or by another shard in the meantime") {
            static_cast<void>(f.table.state_for("key_1"));
        }
        CHECK(f.cache.finish_negative(f.begin(), key, key_status::disabled));
        CHECK(f.state(key) == cache_state::negative);
        static_cast<void>(f.table.state_for("key_1"));
        CHECK(f.state(key) == cache_state::negative);
        f.table.invalidate("key_1");
        CHECK(f.state(key) == cache_state::miss);

        const fill_ticket ticket = f.begin();
        f.table.invalidate("key_1");
        CHECK_FALSE(f.cache.finish_negative(ticket, key, key_status::disabled));
        CHECK(f.state(key) == cache_state::miss);
    }

    TEST_CASE("a key that nobody has issued stays bad whatever happens to others") {
        key_cache_fixture f;
        CHECK(f.cache.finish_negative(f.begin(), key));
        f.table.invalidate("key_1");
        f.table.invalidate_all();
        CHECK(f.state(key) == cache_state::negative);
    }

    TEST_CASE("good and bad take each other's place") {
        key_cache_fixture f;
        f.fill(key);
        f.since = 1s;
        f.cache.finish_negative(f.begin(), key);
        CHECK(f.state(key) == cache_state::negative);
        CHECK(f.cache.size() == 0);
        f.since = 2s;
        f.fill(key);
        CHECK(f.state(key) == cache_state::fresh);
        CHECK(f.cache.negative_size() == 0);
    }

    TEST_CASE("a flood of guesses stays within its bound and pushes no good key out") {
        key_cache_fixture f;
        f.fill(key);
        for (int n = 0; n < 10'000; ++n) {
            crypto::digest256 guess{};
            guess[0] = static_cast<std::uint8_t>(n & 0xff);
            guess[1] = static_cast<std::uint8_t>(n >> 8);
            guess[2] = 1;
            f.cache.finish_negative(f.begin(), guess);
            REQUIRE(f.cache.negative_size() <= 10);
        }
        CHECK(f.state(key) == cache_state::fresh);
    }

    TEST_CASE("good keys stay within their bound") {
        key_cache_fixture f;
        for (std::uint8_t n = 0; n < 250; ++n) {
            f.fill(digest_of(n), "key_" + std::to_string(n));
            REQUIRE(f.cache.size() <= 100);
        }
        CHECK(f.state(digest_of(249)) == cache_state::fresh);
        CHECK(f.find(digest_of(249)).who->key_id == "key_249");
    }
}
