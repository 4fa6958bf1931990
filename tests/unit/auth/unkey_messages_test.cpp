#include "auth/unkey_messages.hpp"

#include "gateway/http/json_scan.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace concurred;
using namespace concurred::auth;

// The shapes are those of Unkey's API, version 2: identity.md 1.

namespace {

constexpr std::int64_t now = 1'795'771'000'000;

std::optional<key_answer> verified(std::string_view data) {
    return parse_unkey_verification(data, 60, now);
}

}  // namespace

TEST_SUITE("auth/unkey_messages") {
    TEST_CASE("a verification costs nothing and says nothing that version 2 refuses") {
        CHECK(unkey_verify_body("ck_abc").reveal() == R"({"key":"ck_abc","credits":{"cost":0}})");
        CHECK(http::is_json_object(unkey_verify_body("a\"b\\c\x01").reveal()));
    }

    TEST_CASE("a valid key has its owner, and its limit from the metadata") {
        const auto answer = verified(R"({"valid":true,"code":"VALID","keyId":"key_1","name":"Production",
            "meta":{"rateLimit":250,"other":[1]},"expires":1795779000000,"enabled":true,"permissions":[],"roles":[],
            "identity":{"id":"id_1","externalId":"user_1","meta":{},"ratelimits":[]},"ratelimits":[]})");
        REQUIRE(answer.has_value());
        CHECK(answer->status == key_status::valid);
        CHECK(answer->row.id == "key_1");
        CHECK(answer->row.owner_id == "user_1");
        CHECK(answer->row.name == "Production");
        CHECK(answer->row.rate_limit == 250);
        CHECK(answer->row.rate_window_ms == 60'000);
        CHECK(answer->row.expires_ms == 1'795'779'000'000);
        CHECK(answer->verified_ms == now);
    }

    TEST_CASE("a key of Unkey's dashboard has an owner and a limit all the same") {
        const auto bare = verified(R"({"valid":true,"code":"VALID","keyId":"key_1"})");
        REQUIRE(bare.has_value());
        CHECK(bare->row.owner_id == "key_1");
        CHECK(bare->row.rate_limit == 60);
        const auto limited =
            verified(R"({"valid":true,"code":"VALID","keyId":"key_1","ownerId":"v1_owner","ratelimits":[
            {"id":"rl_1","name":"tokens","limit":5,"duration":1000,"reset":1,"remaining":4,"exceeded":false,"autoApply":true},
            {"id":"rl_2","name":"requests","limit":7,"duration":10000,"reset":1,"remaining":6,"exceeded":false,"autoApply":true}]})");
        REQUIRE(limited.has_value());
        CHECK(limited->row.owner_id == "v1_owner");
        CHECK(limited->row.rate_limit == 7);
        CHECK(limited->row.rate_window_ms == 10'000);
    }

    TEST_CASE("limits that make no sense are not believed") {
        for (const char* meta :
             {R"({"rateLimit":0})", R"({"rateLimit":-1})", R"({"rateLimit":1000001})", R"({"rateLimit":"9"})",
              R"({"rateLimit":1.5})", R"({"rateLimit":99999999999999999999})"}) {
            const auto answer =
                verified(R"({"valid":true,"code":"VALID","keyId":"key_1","meta":)" + std::string(meta) + "}");
            REQUIRE(answer.has_value());
            CHECK(answer->row.rate_limit == 60);
        }
    }

    TEST_CASE("limits in tokens, requests under way and money go into the metadata, and come back from it") {
        storage::api_key_row row;
        row.id = "key_1";
        row.rate_limit = 7;
        row.spend = {.tokens_per_minute = 5'000, .concurrency = 2, .budget_day_nano_usd = 500'000'000};
        row.meta = R"({"tokenLimit":1,"concurrency":"x","budget":{"month":3},"plan":"pro"})";
        const std::string meta =
            R"({"rateLimit":7,"tokenLimit":5000,"concurrency":2,"budget":{"day":0.5},"plan":"pro"})";
        CHECK(unkey_update_body(row).find("\"meta\":" + meta) != std::string::npos);
        const auto answer = verified(R"({"valid":true,"code":"VALID","keyId":"key_1","meta":)" + meta + "}");
        REQUIRE(answer.has_value());
        CHECK(answer->row.spend == row.spend);
        const auto listed = parse_unkey_key(R"({"keyId":"key_1","start":"","createdAt":1,"meta":)" + meta + "}", 60);
        REQUIRE(listed.has_value());
        CHECK(listed->spend == row.spend);
    }

    TEST_CASE("further limits that make no sense are none") {
        const auto answer = verified(R"({"valid":true,"code":"VALID","keyId":"key_1","meta":{"tokenLimit":1000000001,
            "concurrency":2.5,"budget":{"day":"5","month":1e3}}})");
        REQUIRE(answer.has_value());
        CHECK(answer->row.spend == storage::key_spend_limits());
    }

    TEST_CASE("every code has its consequence") {
        const auto status = [](std::string_view code) {
            const auto answer = verified(R"({"valid":false,"code":")" + std::string(code) + R"(","keyId":"key_1"})");
            REQUIRE(answer.has_value());
            return answer->status;
        };
        CHECK(status("NOT_FOUND") == key_status::not_found);
        CHECK(status("DISABLED") == key_status::disabled);
        CHECK(status("EXPIRED") == key_status::expired);
        CHECK(status("FORBIDDEN") == key_status::forbidden);
        CHECK(status("INSUFFICIENT_PERMISSIONS") == key_status::forbidden);
        CHECK(status("RATE_LIMITED") == key_status::rate_limited);
        CHECK(status("USAGE_EXCEEDED") == key_status::usage_exceeded);
        CHECK(status("SOMETHING_NEW") == key_status::not_found);  // the list is an open one
    }

    TEST_CASE("an answer that contradicts itself is none") {
        for (const char* text :
             {R"({"valid":true,"code":"DISABLED","keyId":"key_1"})", R"({"valid":false,"code":"VALID"})",
              R"({"valid":true,"code":"VALID"})", R"({"valid":true,"code":"VALID","keyId":""})",
              R"({"valid":true,"code":"VALID","keyId":"key 1"})", R"({"valid":"true","code":"VALID"})",
              R"({"valid":1,"code":"VALID","keyId":"key_1"})", R"({"code":"VALID","keyId":"key_1"})",
              R"({"valid":true,"valid":true,"code":"VALID","keyId":"key_1"})", "[]", "{}", "", "null",
              R"({"valid":true,"code":"VALID","keyId":"key_1")"}) {
            CAPTURE(text);
            CHECK_FALSE(verified(text).has_value());
        }
    }

    TEST_CASE("statuses and envelopes") {
        const std::string good = R"({"meta":{"requestId":"req_1"},"data":{"keyId":"key_1"}})";
        REQUIRE(unkey_data(200, good).has_value());
        CHECK(*unkey_data(200, good) == R"({"keyId":"key_1"})");
        CHECK(unkey_data(401, good).error() == unkey_fault::refused);
        CHECK(unkey_data(403, good).error() == unkey_fault::refused);
        CHECK(unkey_data(404, good).error() == unkey_fault::not_found);
        CHECK(unkey_data(412, good).error() == unkey_fault::unavailable);
        CHECK(unkey_data(429, good).error() == unkey_fault::limited);
        CHECK(unkey_data(500, good).error() == unkey_fault::unavailable);
        CHECK(unkey_data(503, good).error() == unkey_fault::overloaded);
        CHECK(unkey_data(302, good).error() == unkey_fault::unavailable);
        for (const char* body :
             {"", "<html>", "{}", R"({"data":{}})", R"({"meta":{},"data":null})", R"({"meta":{},"data":1})",
              R"({"meta":{},"data":{"valid":true},"error":{"status":500}})"}) {
            CAPTURE(body);
            CHECK(unkey_data(200, body).error() == unkey_fault::unavailable);
        }
    }

    TEST_CASE("the code of an error is the end of its type, and nothing that could forge a log line") {
        CHECK(unkey_error_code(R"({"meta":{},"error":{"title":"x","detail":"secret ck_abc","status":401,
            "type":"https://unkey.com/docs/errors/unkey/authentication/key_not_found"}})") ==
              "unkey/authentication/key_not_found");
        CHECK(unkey_error_code(R"({"error":{"type":"a\nb\"c"}})") == "abc");
        CHECK(unkey_error_code("<html>").empty());
    }

    TEST_CASE("a new key carries its limit where a verification returns it, and a limit that Unkey does not apply") {
        storage::api_key_row row;
        row.name = "CI \"x\"";
        row.owner_id = "user_1";
        row.rate_limit = 100;
        CHECK(
            unkey_create_body("api_1", row, "mark") ==
            R"({"prefix":"ck","byteLength":24,"apiId":"api_1","name":"CI \"x\"","externalId":"user_1","enabled":true,)"
            R"("meta":{"rateLimit":100,"attempt":"mark"},"ratelimits":[{"name":"requests","limit":100,"duration":60000,)"
            R"("autoApply":false}]})");
    }

    TEST_CASE("a change keeps what others have put into the metadata, which Unkey replaces as a whole") {
        storage::api_key_row row;
        row.id = "key_1";
        row.name = "n";
        row.rate_limit = 7;
        row.meta = R"({"plan":{"a":[1,2]},"rateLimit":100,"attempt":"mark"})";
        CHECK(unkey_update_body(row) ==
              R"({"enabled":true,"keyId":"key_1","name":"n","expires":null,"meta":{"rateLimit":7,"plan":{"a":[1,2]},)"
              R"("attempt":"mark"},"ratelimits":[{"name":"requests","limit":7,"duration":60000,"autoApply":false}]})");
    }

    TEST_CASE("key objects and pages of them") {
        const auto page = parse_unkey_page(R"({"meta":{"requestId":"r"},"data":[{"keyId":"key_1","start":"ck_8Dfb",
            "enabled":false,"createdAt":1795771000000,"lastUsedAt":1795771000001,"name":"n","meta":{"rateLimit":5,
            "attempt":"m"},"identity":{"id":"id_1","externalId":"user_1"}},{"keyId":"key_2","start":"","enabled":true,
            "createdAt":1}],"pagination":{"cursor":"c","hasMore":true}})",
                                           60);
        REQUIRE(page.has_value());
        REQUIRE(page->keys.size() == 2);
        const storage::api_key_row& first = page->keys[0];
        CHECK(first.start == "ck_8Dfb");
        CHECK_FALSE(first.enabled);
        CHECK(first.owner_id == "user_1");
        CHECK(first.rate_limit == 5);
        CHECK(first.created_ms == 1'795'771'000'000);
        CHECK(first.last_used_ms == 1'795'771'000'001);
        CHECK(unkey_attempt_of(first) == "m");
        CHECK(page->keys[1].owner_id == "key_2");
        CHECK(page->cursor == "c");
        CHECK(parse_unkey_page(R"({"data":[],"pagination":{"hasMore":false,"cursor":null}})", 60)->cursor.empty());
        CHECK_FALSE(parse_unkey_page(R"({"data":[{"start":"x"}]})", 60).has_value());
        CHECK_FALSE(parse_unkey_page(R"({"data":{}})", 60).has_value());
    }

    TEST_CASE("owners that Unkey takes") {
        CHECK(is_unkey_owner("11111111-1111-4111-8111-111111111111"));
        CHECK(is_unkey_owner("a_B.c-9"));
        CHECK_FALSE(is_unkey_owner(""));
        CHECK_FALSE(is_unkey_owner("someone@example.com"));
        CHECK_FALSE(is_unkey_owner(std::string(129, 'a')));
    }
}
