#include "auth/cached_key_source.hpp"

#include "tests/integration/net_loop.hpp"
#include "tests/unit/auth/fake_key_services.hpp"

#include <doctest/doctest.h>

using namespace concurred;
using namespace concurred::auth;
using namespace concurred::auth::test;
using namespace std::chrono_literals;
using base::result;

namespace {

std::int64_t now_ms() {
    return base::unix_millis(std::chrono::system_clock::now());
}

struct fixture {
    fixture() { service.answer = good_key(); }

    result<key_answer> find(bool known = false) { return l.run(source.find(digest, key, known)); }

    /// Puts a record as another replica would have, so long ago.
    void put(key_answer answer, std::chrono::milliseconds age, std::uint64_t epoch = 0) {
        answer.verified_ms = now_ms() - age.count();
        store.records[place] = codec.encode(place, epoch, answer);
    }

    /// What a replica does that changes the key.
    void change(const storage::api_key_row& row) {
        const key_answer state{.status = status_of(row, now_ms()), .row = row, .verified_ms = now_ms()};
        const std::uint64_t epoch = ++store.epoch;
        store.marks[row.id] = codec.encode(mark_place(row.id), epoch, state);
        if (const auto known = store.places.find(row.id); known != store.places.end()) {
            store.records[known->second] = codec.encode(known->second, epoch, state);
        }
    }

    net::test::loop l;
    base::log_writer writer;
    base::logger log{writer, {.level = base::log_level::error}};
    memory_key_cache store;
    scripted_key_source service;
    key_record_codec codec{"secret"};
    cached_key_source source{store, codec, service, log};
    crypto::digest256 digest{1, 2, 3};
    crypto::secret_string key{"ck_some"};
    std::string place = codec.place_of(digest);
};

}  // namespace

TEST_SUITE("auth/cached_key_source") {
    TEST_CASE("what one replica has verified the others need not ask again") {
        fixture f;
        CHECK(f.find()->status == key_status::valid);
        CHECK(f.service.calls == 1);
        const auto again = f.find();
        REQUIRE(again.has_value());
        CHECK(again->status == key_status::valid);
        CHECK(again->row.rate_limit == 100);
        CHECK(f.service.calls == 1);
    }

    TEST_CASE("a record carries its age along: young ones count, older ones are asked for again") {
        fixture f;
        f.put(good_key(), 39s);
        const auto young = f.find();
        REQUIRE(young.has_value());
        CHECK(f.service.calls == 0);
        CHECK(now_ms() - young->verified_ms >= 39'000);
        f.put(good_key(), 41s);
        CHECK(f.find().has_value());
        CHECK(f.service.calls == 1);
        CHECK(f.service.last_known);
    }

    TEST_CASE("a record from a clock that runs ahead is not younger than new") {
        fixture f;
        f.put(good_key(), -1h);
        const auto found = f.find();
        REQUIRE(found.has_value());
        CHECK(found->verified_ms <= now_ms());
    }

    TEST_CASE("when the service cannot be asked, records count for ten minutes, and say so") {
        fixture f;
        f.service.down = true;
        f.put(good_key(), 599s);
        const auto found = f.find();
        REQUIRE(found.has_value());
        CHECK(found->status == key_status::valid);
        CHECK(found->stale);
        f.put(good_key(), 601s);
        CHECK_FALSE(f.find().has_value());
    }

    TEST_CASE("a record never outlives the key's own end") {
        fixture f;
        f.service.down = true;
        key_answer expired = good_key();
        expired.row.expires_ms = now_ms() - 1;
        f.put(expired, 1s);
        REQUIRE(f.find().has_value());
        CHECK(f.find()->status == key_status::expired);
    }

    TEST_CASE("the failure matrix") {
        fixture f;
        const int before = f.service.calls;
        SUBCASE("both there: a key nobody knows is the service's to judge") {
            f.service.answer = {.status = key_status::not_found};
            CHECK(f.find()->status == key_status::not_found);
        }
        SUBCASE("no store: the service is asked each time, and nothing is kept") {
            f.store.down = true;
            CHECK(f.find()->status == key_status::valid);
            CHECK(f.find()->status == key_status::valid);
            CHECK(f.service.calls == before + 2);
        }
        SUBCASE("no service: known keys go on, of others nobody can say that they are bad") {
            f.service.down = true;
            const auto unknown = f.find();
            REQUIRE_FALSE(unknown.has_value());
            CHECK(unknown.error().code == base::errc::service_unavailable);
            f.put(good_key(), 50s);
            CHECK(f.find()->status == key_status::valid);
        }
        SUBCASE("neither") {
            f.service.down = f.store.down = true;
            const auto unknown = f.find();
            REQUIRE_FALSE(unknown.has_value());
            CHECK(unknown.error().code == base::errc::service_unavailable);
        }
        SUBCASE("the store lies: what was not made by us is as if it were not there, and is put right") {
            for (const char* lie : {"", "garbage", "0:{\"v\":1,\"s\":0}", "\xff\xfe", "18446744073709551615:x"}) {
                f.store.records[f.place] = lie;
                f.service.down = true;
                CHECK_FALSE(f.find().has_value());
                f.service.down = false;
                CHECK(f.find()->status == key_status::valid);
                f.store.records.clear();
            }
            CHECK(f.source.numbers().forged > 0);
        }
    }

    TEST_CASE("bad keys are remembered only for a short time: whoever lifts that expects effect") {
        fixture f;
        f.service.answer = {.status = key_status::not_found};
        CHECK(f.find()->status == key_status::not_found);
        CHECK(f.store.last_ttl == 30s);
        CHECK(f.find()->status == key_status::not_found);
        CHECK(f.service.calls == 1);
        f.store.records.clear();
        f.service.answer = good_key();
        f.service.answer.status = key_status::disabled;
        CHECK(f.find()->status == key_status::disabled);
        CHECK(f.store.last_ttl == 10s);
    }

    TEST_CASE("a failure is never remembered") {
        fixture f;
        f.service.down = true;
        CHECK_FALSE(f.find().has_value());
        CHECK(f.store.records.empty());
    }

    TEST_CASE("a key deleted by another replica is refused, even if the service still calls it valid") {
        fixture f;
        CHECK(f.find()->status == key_status::valid);
        storage::api_key_row row = good_key().row;
        row.deleted_ms = now_ms();
        SUBCASE("its record was known") {
            f.change(row);
            CHECK(f.find()->status == key_status::not_found);
            CHECK(f.service.calls == 1);
        }
        SUBCASE("its record was not known: the mark tells") {
            f.store.places.clear();
            f.store.records.clear();
            f.change(row);
            CHECK(f.find()->status == key_status::not_found);
        }
    }

    TEST_CASE("a refresh under way cannot bring the old state back") {
        fixture f;
        storage::api_key_row disabled = good_key().row;
        disabled.enabled = false;
        SUBCASE("the change comes while the service is asked") {
            f.service.on_call = [&] { f.change(disabled); };
        }
        SUBCASE("the change comes between the look for a mark and the fill") {
            f.store.before_fill = [&] { f.change(disabled); };
        }
        const auto found = f.find();
        REQUIRE(found.has_value());
        CHECK(found->status == key_status::disabled);
        CHECK(f.find()->status == key_status::disabled);
    }

    TEST_CASE("a limit changed by another replica is in force at once") {
        fixture f;
        CHECK(f.find()->row.rate_limit == 100);
        f.change(good_key("key_1", 7).row);
        CHECK(f.find()->row.rate_limit == 7);
    }
}
