#include "auth/key_overrides.hpp"

#include <doctest/doctest.h>

using namespace concurred;
using namespace concurred::auth;

namespace {

constexpr std::int64_t now = 1'795'771'000'000;
constexpr std::int64_t minute = 60'000;

key_answer said(std::string id, std::uint32_t rate_limit = 100) {
    key_answer answer{.status = key_status::valid, .verified_ms = now};
    answer.row.id = std::move(id);
    answer.row.rate_limit = rate_limit;
    return answer;
}

key_status status_after(const key_overrides& overrides, std::int64_t at) {
    key_answer answer = said("key_1");
    overrides.apply(answer, at);
    return answer.status;
}

}  // namespace

TEST_SUITE("auth/key_overrides") {
    TEST_CASE("a key that was deleted or disabled stays so for a quarter of an hour, whatever its source says") {
        key_overrides overrides;
        storage::api_key_row row = said("key_1").row;
        key_status expected{};
        SUBCASE("deleted") {
            row.deleted_ms = now;
            expected = key_status::not_found;
        }
        SUBCASE("disabled") {
            row.enabled = false;
            expected = key_status::disabled;
        }
        overrides.note(row, now);
        CHECK(status_after(overrides, now) == expected);
        CHECK(status_after(overrides, now + 15 * minute - 1) == expected);
        CHECK(status_after(overrides, now + 15 * minute) == key_status::valid);
    }

    TEST_CASE("another limit holds for a minute, until the source knows it too") {
        key_overrides overrides;
        overrides.note(said("key_1", 7).row, now);
        key_answer answer = said("key_1", 100);
        overrides.apply(answer, now + minute - 1);
        CHECK(answer.row.rate_limit == 7);
        answer = said("key_1", 100);
        overrides.apply(answer, now + minute);
        CHECK(answer.row.rate_limit == 100);
    }

    TEST_CASE("a key enabled again is valid even if its source still says that it is disabled") {
        key_overrides overrides;
        overrides.note(said("key_1").row, now);
        key_answer answer = said("key_1");
        answer.status = key_status::disabled;
        answer.row.enabled = false;
        overrides.apply(answer, now + 1);
        CHECK(answer.status == key_status::valid);
    }

    TEST_CASE("a key that was given an end ends then") {
        key_overrides overrides;
        storage::api_key_row row = said("key_1").row;
        row.expires_ms = now + minute;
        overrides.note(row, now);
        CHECK(status_after(overrides, now + minute - 1) == key_status::valid);
        CHECK(status_after(overrides, now + minute) == key_status::expired);
    }

    TEST_CASE("what the replicas know does not need to be held here") {
        key_overrides overrides;
        storage::api_key_row row = said("key_1").row;
        row.enabled = false;
        overrides.note(row, now);
        overrides.forget("key_1");
        overrides.forget("key_2");
        CHECK(status_after(overrides, now) == key_status::valid);
    }

    TEST_CASE("the last change counts, other keys are left alone, and what is over is forgotten") {
        key_overrides overrides;
        storage::api_key_row row = said("key_1").row;
        row.enabled = false;
        overrides.note(row, now);
        row.enabled = true;
        overrides.note(row, now);
        CHECK(status_after(overrides, now) == key_status::valid);
        key_answer other = said("key_2");
        overrides.apply(other, now);
        CHECK(other.row.rate_limit == 100);
        overrides.note(said("key_3").row, now + 20 * minute);
        CHECK(overrides.size() == 1);
    }
}
