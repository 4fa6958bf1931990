#include "tests/unit/auth/key_cache_fixture.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace concurred;
using namespace concurred::auth;
using namespace concurred::auth::test;
using namespace std::chrono_literals;

namespace {

const crypto::digest256 key = digest_of(1);

}  // namespace

TEST_SUITE("auth/key_cache ages") {
    TEST_CASE("the state follows from both ages") {
        // identity.md 2.2: read the next layer again after 10 s; verified: fresh to 60 s, refresh ahead from 45 s, 15 s
        // more while refreshing, 10 min at most and then only when nobody can be asked.
        struct row {
            milliseconds verified;
            milliseconds read;
            cache_state state;
        };
        const row rows[] = {
            {0ms, 0ms, cache_state::fresh},
            {7'499ms, 7'499ms, cache_state::fresh},
            {7'500ms, 7'500ms, cache_state::refresh_ahead},
            {9'999ms, 9'999ms, cache_state::refresh_ahead},
            {10'000ms, 10'000ms, cache_state::stale_usable_only_on_error},
            {44'999ms, 0ms, cache_state::fresh},
            {45'000ms, 0ms, cache_state::refresh_ahead},
            {60'000ms, 0ms, cache_state::refresh_ahead},
            {74'999ms, 0ms, cache_state::refresh_ahead},
            {75'000ms, 0ms, cache_state::stale_usable_only_on_error},
            {599'999ms, 599'999ms, cache_state::stale_usable_only_on_error},
            {600'000ms, 0ms, cache_state::miss},
            {24h * 365, 24h * 365, cache_state::miss},
        };
        for (const row& r : rows) {
            CAPTURE(r.verified.count());
            CAPTURE(r.read.count());
            CHECK(state_at_age({}, r.verified, r.read) == r.state);
        }
    }

    TEST_CASE("without a layer in between only the age of the verification counts") {
        key_cache_params params;
        params.reread = 0ms;
        CHECK(state_at_age(params, 44'999ms, 44'999ms) == cache_state::fresh);
        CHECK(state_at_age(params, 45'000ms, 45'000ms) == cache_state::refresh_ahead);
        CHECK(state_at_age(params, 75'000ms, 75'000ms) == cache_state::stale_usable_only_on_error);
    }

    TEST_CASE("a cached key goes through all its states as time passes") {
        key_cache_fixture f;
        CHECK(f.state(key) == cache_state::miss);
        REQUIRE(f.fill(key) != nullptr);
        const key_cache::lookup first = f.find(key);
        CHECK(first.state == cache_state::fresh);
        REQUIRE(first.who != nullptr);
        CHECK(first.who->key_id == "key_1");

        f.since = 7'499ms;
        CHECK(f.state(key) == cache_state::fresh);
        f.since = 7'500ms;
        CHECK(f.state(key) == cache_state::refresh_ahead);
        f.since = 10'000ms;
        CHECK(f.find(key).state == cache_state::stale_usable_only_on_error);
        CHECK(f.find(key).who != nullptr);
        f.since = 599'999ms;
        CHECK(f.state(key) == cache_state::stale_usable_only_on_error);
        f.since = 600'000ms;
        CHECK(f.find(key).state == cache_state::miss);
        CHECK(f.find(key).who == nullptr);
        CHECK(f.cache.size() == 0);
    }

    TEST_CASE("the age is carried along from the layer it was read from") {
        key_cache_fixture f;
        f.since = 60s;
        const fill_ticket ticket = f.begin();
        principal who = f.read();
        who.verified_ms -= 50'000;
        f.finish(ticket, key, who);
        CHECK(f.state(key) == cache_state::refresh_ahead);  // 50 s old already
        f.since += 4s;
        CHECK(f.state(key) == cache_state::refresh_ahead);
        f.finish(f.begin(), key, who);  // read again, and still the same old answer
        f.since += 21s;
        CHECK(f.state(key) == cache_state::stale_usable_only_on_error);  // 75 s, not 21
    }

    TEST_CASE("an answer that is too old already is not used at all") {
        key_cache_fixture f;
        principal who = f.read();
        who.verified_ms -= 600'000;
        f.finish(f.begin(), key, who);
        CHECK(f.state(key) == cache_state::miss);
    }

    TEST_CASE("an answer from the future is new, not younger than new") {
        key_cache_fixture f;
        principal who = f.read();
        who.verified_ms += 3'600'000;
        f.finish(f.begin(), key, who);
        CHECK(f.state(key) == cache_state::fresh);
        f.since = 10s;
        CHECK(f.state(key) == cache_state::stale_usable_only_on_error);
    }

    TEST_CASE("the wall clock may jump: ages stay as they are") {
        key_cache_fixture f;
        f.fill(key);
        f.since = 5s;
        CHECK(f.cache.find(key, f.now(), f.wall() + 1h).state == cache_state::fresh);
        CHECK(f.cache.find(key, f.now(), f.wall() - 1h).state == cache_state::fresh);
    }

    TEST_CASE("one refresh is handed out, and the next only when that one has had its time") {
        key_cache_fixture f;
        f.fill(key);
        f.since = 8'000ms;
        CHECK(f.state(key) == cache_state::refresh_ahead);
        CHECK(f.state(key) == cache_state::fresh);
        f.since = 9'999ms;
        CHECK(f.state(key) == cache_state::fresh);
        f.fill(key);
        f.since = 17'500ms;
        CHECK(f.state(key) == cache_state::refresh_ahead);
        f.since = 19'499ms;
        CHECK(f.state(key) == cache_state::fresh);
        f.since = 19'500ms;  // 2 s later, still not done: it may have failed
        CHECK(f.state(key) == cache_state::refresh_ahead);
        f.since = 19'999ms;  // 10 s since it was read
        CHECK(f.state(key) == cache_state::stale_usable_only_on_error);
    }

    TEST_CASE("expiry counts to the millisecond, whatever the age") {
        key_cache_fixture f;
        const std::int64_t expires = base::unix_millis(f.wall()) + 3'000;
        f.finish(f.begin(), key, f.read("key_1", expires));
        f.since = 2'999ms;
        CHECK(f.state(key) == cache_state::fresh);
        f.since = 3'000ms;
        CHECK(f.find(key).state == cache_state::negative);
        CHECK(f.find(key).who == nullptr);
        // When it would have to be asked about anyway: somebody may have moved the date. Never used on an error.
        f.since = 10'000ms;
        CHECK(f.find(key).state == cache_state::miss);
        CHECK(f.find(key).who == nullptr);
    }

    TEST_CASE("jitter moves each key's bounds by its own amount, at most a tenth, and never the hard bound") {
        key_cache_params params = key_cache_fixture::round_ages();
        params.jitter_percent = 10;
        params.reread = 0ms;
        std::set<std::int64_t> bounds;
        for (int n = 0; n < 256; n += 5) {
            crypto::digest256 jittered{};
            jittered[30] = static_cast<std::uint8_t>(n);
            key_cache_fixture f(params);
            f.fill(jittered);
            f.since = 74'999ms * 9 / 10;
            CHECK(f.find(jittered).state != cache_state::stale_usable_only_on_error);
            while (f.find(jittered).state != cache_state::stale_usable_only_on_error) {
                f.since += 75ms;
            }
            CHECK(f.since >= 75'000ms * 9 / 10);
            CHECK(f.since <= 75'000ms * 11 / 10 + 75ms);
            bounds.insert(f.since.count());
            f.since = 599'999ms;
            CHECK(f.find(jittered).state == cache_state::stale_usable_only_on_error);
            f.since = 600'000ms;
            CHECK(f.find(jittered).state == cache_state::miss);
        }
        CHECK(bounds.size() > 40);
    }
}
