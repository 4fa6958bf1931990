#include "auth/authenticator.hpp"

#include "tests/integration/net_loop.hpp"
#include "tests/unit/auth/fake_key_services.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

using namespace concurred;
using namespace concurred::auth;
using namespace concurred::auth::test;
using namespace std::chrono_literals;
using base::errc;
using base::result;
using net::test::pending;

namespace {

/// A source whose answers come when the test says so.
class held_source final : public key_source {
public:
    explicit held_source(base::executor ex) : bell(ex) {}

    base::task<result<key_answer>> find(const crypto::digest256& d, const crypto::secret_string& k,
                                        bool known) override {
        if (hold) {
            co_await bell.wait();
        }
        result<key_answer> said = co_await script.find(d, k, known);
        co_return std::move(said);
    }

    scripted_key_source script;
    base::event bell;
    bool hold = false;
};

key_cache_params params() {
    key_cache_params p;
    p.capacity = 1'000;
    p.negative_capacity = 100;
    p.reread = {};
    return p;
}

http::client_address local() {
    http::client_address address;
    address.bytes[15] = 1;  // ::1
    return address;
}

struct fixture {
    fixture() { source.script.answer = good_key(); }

    result<const principal*> look_up(std::string_view key) {
        return l.run(subject.look_up(subject.digest(key), crypto::secret_string(key), local()));
    }
    authenticator::answer find(std::string_view key) {
        return subject.find(subject.digest(key), key, std::chrono::steady_clock::now(),
                            std::chrono::system_clock::now());
    }

    net::test::loop l;
    key_state_table states;
    key_overrides overrides;
    held_source source{l.executor()};
    address_limiter failures{gcra_limit(30, 60s), 1, 0};
    base::task_group background{l.executor(), [](std::exception_ptr) {}};
    authenticator subject{l.executor(), params(), states, source, failures, background, &overrides};
};

constexpr std::string_view key = "ck_4444444444444444444444444444";

}  // namespace

TEST_SUITE("auth/authenticator") {
    TEST_CASE("the source is asked once for all who want to know the same key at the same time") {
        fixture f;
        f.source.hold = true;
        std::vector<pending<result<const principal*>>> waiting(20);
        for (auto& one : waiting) {
            f.l.start(f.subject.look_up(f.subject.digest(key), crypto::secret_string(key), local()), one);
        }
        SUBCASE("and all get its answer") {
            f.source.bell.ring();
            for (auto& one : waiting) {
                CHECK(f.l.finish(one).has_value());
            }
        }
        SUBCASE("and all get its failure: nobody asks a failing service again for the same question") {
            f.source.script.down = true;
            f.source.bell.ring();
            for (auto& one : waiting) {
                const auto answer = f.l.finish(one);
                REQUIRE_FALSE(answer.has_value());
                CHECK(answer.error().code == errc::service_unavailable);
                CHECK(answer.error().retry_after > 0ms);
            }
        }
        CHECK(f.source.script.calls == 1);
    }

    TEST_CASE("a key that nobody can judge is never called bad") {
        fixture f;
        f.source.script.down = true;
        const auto answer = f.look_up(key);
        REQUIRE_FALSE(answer.has_value());
        CHECK(base::status_of(answer.error()) == 503);
        CHECK(f.find(key).state == authenticator::outcome::unknown);
    }

    TEST_CASE(
        "what the source says of a key becomes one answer each, and unknown, disabled and expired keys the same") {
        const auto refusal = [](key_status status) {
            fixture f;
            f.source.script.answer.status = status;
            const auto answer = f.look_up(key);
            REQUIRE_FALSE(answer.has_value());
            return answer.error();
        };
        const base::error unknown = refusal(key_status::not_found);
        CHECK(base::status_of(unknown) == 401);
        for (const auto status : {key_status::disabled, key_status::expired}) {
            const base::error other = refusal(status);
            CHECK(other.code == unknown.code);
            CHECK(base::text_of(other) == base::text_of(unknown));
            CHECK(other.details == unknown.details);
        }
        CHECK(base::status_of(refusal(key_status::forbidden)) == 403);
        CHECK(base::status_of(refusal(key_status::rate_limited)) == 429);
        CHECK(base::status_of(refusal(key_status::usage_exceeded)) == 429);
        CHECK(refusal(key_status::usage_exceeded).upstream_type == "insufficient_quota");
    }

    TEST_CASE("a key that exists costs no more work than one that does not, over 10,000 calls each") {
        // Time differs where work differs: so the work is counted. Exists, but is of no use; does not exist.
        const auto work = [](key_status status, std::string id) {
            fixture f;
            f.source.script.answer.status = status;
            f.source.script.answer.row.id = std::move(id);
            int found_without_asking = 0;
            int refused = 0;
            for (int i = 0; i < 10'000; ++i) {
                const auto known = f.find(key);
                if (known.state == authenticator::outcome::bad) {
                    ++found_without_asking;
                    refused += base::status_of(f.subject.refuse(local(), known.why)) == 401 ? 1 : 0;
                } else {
                    refused += base::status_of(f.look_up(key).error()) == 401 ? 1 : 0;
                }
            }
            return std::array<int, 3>{found_without_asking, refused, f.source.script.calls};
        };
        const auto exists = work(key_status::disabled, "key_1");
        const auto missing = work(key_status::not_found, "");
        CHECK(exists == missing);
        CHECK(missing == std::array<int, 3>{9'999, 10'000, 1});
    }

    TEST_CASE("what was changed here is in force even if the source does not know it yet") {
        fixture f;
        REQUIRE(f.look_up(key).has_value());
        storage::api_key_row row = good_key().row;
        row.deleted_ms = 1;
        f.overrides.note(row, base::unix_millis(std::chrono::system_clock::now()));
        f.states.invalidate("key_1");
        CHECK(f.find(key).state == authenticator::outcome::unknown);
        const auto answer = f.look_up(key);  // the source still says that it is valid
        REQUIRE_FALSE(answer.has_value());
        CHECK(base::status_of(answer.error()) == 401);
    }
}
