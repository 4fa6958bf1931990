#include "tests/unit/auth/key_cache_fixture.hpp"

#include <doctest/doctest.h>

using namespace concurred;
using namespace concurred::auth;
using namespace concurred::auth::test;
using namespace std::chrono_literals;

namespace {

const crypto::digest256 key = digest_of(1);

/// A cache in front of the key service itself.
key_cache_params at_the_service() {
    key_cache_params params = key_cache_fixture::round_ages();
    params.reread = {};
    return params;
}

}  // namespace

TEST_SUITE("auth/key_cache outage") {
    TEST_CASE("while the next layer fails, a key past its time is used at once and asked for in the background") {
        key_cache_fixture f(at_the_service());
        f.fill(key);
        f.since = 80s;  // past fresh and grace
        CHECK(f.state(key) == cache_state::stale_usable_only_on_error);
        f.cache.fill_failed(key, f.now());
        CHECK(f.state(key) == cache_state::refresh_ahead);  // somebody tries again
        CHECK(f.state(key) == cache_state::fresh);          // the others do not wait for that
        f.since = 82s;
        CHECK(f.state(key) == cache_state::refresh_ahead);
    }

    TEST_CASE("the excuse ends by itself: then the next layer is asked first") {
        key_cache_fixture f(at_the_service());
        f.fill(key);
        f.since = 80s;
        f.cache.fill_failed(key, f.now());
        f.since = 86s;
        CHECK(f.state(key) == cache_state::stale_usable_only_on_error);
    }

    TEST_CASE("no failure carries a key beyond ten minutes") {
        key_cache_fixture f(at_the_service());
        f.fill(key);
        f.since = 599s;
        f.cache.fill_failed(key, f.now());
        CHECK(f.state(key) == cache_state::refresh_ahead);
        f.since = 600s;
        CHECK(f.state(key) == cache_state::miss);
    }

    TEST_CASE("nor beyond a change, nor beyond its own end") {
        key_cache_fixture f(at_the_service());
        f.fill(key);
        f.since = 80s;
        f.cache.fill_failed(key, f.now());
        SUBCASE("a change") {
            f.table.invalidate("key_1");
            CHECK(f.state(key) == cache_state::miss);
        }
        SUBCASE("its end") {
            key_cache_fixture g(at_the_service());
            const fill_ticket ticket = g.begin();
            g.finish(ticket, key, g.read("key_1", base::unix_millis(g.wall() + 79s)));
            g.since = 80s;
            g.cache.fill_failed(key, g.now());
            CHECK(g.find(key).who == nullptr);
        }
    }

    TEST_CASE("a failure about a key that is not known changes nothing") {
        key_cache_fixture f(at_the_service());
        f.cache.fill_failed(key, f.now());
        CHECK(f.state(key) == cache_state::miss);
        CHECK(f.cache.size() == 0);
    }

    TEST_CASE("why a key is bad is remembered with it") {
        key_cache_fixture f;
        CHECK(f.cache.finish_negative(f.begin(), key, key_status::forbidden));
        CHECK(f.find(key).why == key_status::forbidden);
    }
}
