#include "auth/jws.hpp"

#include "auth/jwks.hpp"
#include "crypto/encoding.hpp"
#include "tests/support/fixture_files.hpp"

#include <doctest/doctest.h>
#include <boost/json.hpp>

#include <chrono>
#include <set>
#include <string>
#include <vector>

using namespace concurred;
using namespace std::chrono_literals;
using auth::jws_verdict;

namespace {

namespace json = boost::json;

std::string text(const json::value& v) {
    return std::string(v.as_string());
}

/// What the gateway makes of a test's key: a secret only where the test says so, else what a key set may hold.
std::vector<auth::named_key> keys_of(const json::object& group) {
    if (const auto* published = group.if_contains("public"); published != nullptr && published->at("kty") != "oct") {
        auto keys = auth::parse_jwks(json::serialize(json::object{{"keys", json::array{*published}}}));
        REQUIRE(keys);
        return std::move(*keys);
    }
    const json::value& key = group.at("private");
    std::vector<auth::named_key> keys;
    if (key.at("kty") == "oct" && key.at("alg") == "HS256") {
        auto made = crypto::jws_key::hs256(crypto::secret_string(crypto::base64url_decode(text(key.at("k"))).value()));
        REQUIRE(made.has_value());
        keys.push_back({text(key.at("kid")), std::move(*made)});
    }
    return keys;
}

auth::jws_verdict judge(std::string_view token, const std::vector<auth::named_key>& keys) {
    const auto parts = auth::parse_jws(token);
    return parts ? auth::check_jws(*parts, keys) : jws_verdict::bad;
}

const char* const header = R"({"alg":"HS256"})";

std::string token_of(std::string_view head) {
    return crypto::base64url_encode(head) + "." + crypto::base64url_encode("{}") + ".AAAA";
}

}  // namespace

TEST_SUITE("auth/jws") {
    TEST_CASE("Wycheproof: valid signatures of the three algorithms pass, everything else does not") {
        const auto folder = test::third_party_fixtures();
        if (folder.empty()) {
            return;
        }
        const auto file = json::parse(test::read_file(folder / "wycheproof" / "json_web_signature_test.json"));
        const std::set<std::string> spoken{"HS256", "ES256", "RS256"};
        int passed = 0;
        int refused = 0;
        int contradictions = 0;
        for (const auto& group : file.at("testGroups").as_array()) {
            const auto keys = keys_of(group.as_object());
            std::set<std::string> valid;
            for (const auto& test : group.at("tests").as_array()) {
                if (test.at("result") != "invalid") {
                    valid.insert(text(test.at("jws")));
                }
            }
            for (const auto& test : group.at("tests").as_array()) {
                CAPTURE(test.at("tcId").as_int64());
                CAPTURE(text(test.at("comment")));
                const std::string token = text(test.at("jws"));
                const auto parts = auth::parse_jws(token);
                const bool ours = parts && spoken.contains(parts->algorithm) && !keys.empty();
                // Characters outside of the alphabet, which some decoders skip, and headers of other types than JWT.
                const bool strict = text(test.at("comment")).starts_with("InvalidCharacter") || !parts;
                const bool good = judge(token, keys) == jws_verdict::good;
                if (test.at("result") == "invalid" && valid.contains(token)) {
                    // The file has lost the padding that made these two invalid: they are the valid token itself.
                    ++contradictions;
                } else if (test.at("result") == "invalid") {
                    CHECK_FALSE(good);
                } else if (ours) {
                    CHECK(good);
                } else {
                    CHECK_FALSE(good);
                    CHECK((strict || keys.empty() || !spoken.contains(parts->algorithm)));
                }
                ++(good ? passed : refused);
            }
        }
        CHECK(contradictions == 2);
        CHECK(passed >= 14);
        CHECK(refused + passed == 401);
    }

    TEST_CASE("A token has three parts, a header with an algorithm, and is not too long") {
        CHECK(auth::parse_jws(token_of(header)));
        CHECK(auth::parse_jws(token_of(R"({"typ":"JWT","kid":"a","alg":"ES256","x5c":["..."],"jku":"https://evil"})")));
        for (const std::string& token : {std::string(),
                                         std::string("."),
                                         std::string(".."),
                                         token_of(header) + ".",
                                         token_of("{}"),
                                         token_of("[]"),
                                         token_of(""),
                                         token_of("null"),
                                         token_of(R"({"alg":1})"),
                                         token_of(R"({"alg":""})"),
                                         token_of(R"({"alg":"HS256","alg":"HS256"})"),
                                         token_of("{\"alg\":\"HS256\",\"\\u0061lg\":\"none\"}"),
                                         token_of(R"({"alg":"HS256","crit":[]})"),
                                         token_of(R"({"alg":"HS256","typ":"JOSE"})"),
                                         token_of(R"({"alg":"HS256","typ":7})"),
                                         token_of(R"({"alg":"HS256","kid":7})"),
                                         token_of(R"({"alg":"HS256"} x)"),
                                         token_of(header) + "=",
                                         token_of(header) + std::string(9'000, 'A'),
                                         std::string("e30.e30.")}) {
            CAPTURE(token);
            CHECK_FALSE(auth::parse_jws(token));
        }
    }
}

TEST_SUITE("auth/jwks") {
    TEST_CASE("A text that is no key set is none") {
        for (const std::string_view bad : {"", "[]", "{", "null", "{}", R"({"keys":7})", R"({"keys":{}})"}) {
            CHECK_FALSE(auth::parse_jwks(bad));
        }
        CHECK(auth::parse_jwks(R"({"keys":[]})")->empty());
        CHECK(auth::parse_jwks(R"({"keys":[1,null,"a",{},{"kty":"oct","k":"c2VjcmV0","alg":"HS256"}]})")->empty());
        CHECK_FALSE(auth::parse_jwks("{\"keys\":[]}" + std::string(70'000, ' ')));
    }

    TEST_CASE("The age of an answer is bounded on both sides") {
        CHECK(auth::jwks_lifetime("") == 600s);
        CHECK(auth::jwks_lifetime("public, max-age=600") == 600s);
        CHECK(auth::jwks_lifetime("max-age=0") == 60s);
        CHECK(auth::jwks_lifetime("max-age=86400") == 3600s);
        CHECK(auth::jwks_lifetime("max-age=abc") == 600s);
    }

    TEST_CASE(
        "A set is fetched when there is none, refreshed beside when it is old, kept for an hour when it cannot be") {
        using advice = auth::jwks_schedule::advice;
        auth::jwks_schedule schedule;
        base::steady_time now{1000s};
        CHECK(schedule.current(now) == advice::nothing_to);
        CHECK(schedule.fetch_for("a", now));
        schedule.succeeded(600s, now);
        CHECK(schedule.current(now + 599s) == advice::use);
        CHECK(schedule.current(now + 600s) == advice::refresh);
        schedule.failed(now + 600s);
        CHECK(schedule.current(now + 604s) == advice::use);
        CHECK(schedule.current(now + 605s) == advice::refresh);
        CHECK(schedule.current(now + 600s + 3599s) == advice::refresh);
        CHECK(schedule.current(now + 600s + 3600s) == advice::nothing_to);
    }

    TEST_CASE("Unknown key ids cause one fetch in 30 s, and one that was missed none for a minute") {
        auth::jwks_schedule schedule;
        const base::steady_time now{1000s};
        schedule.succeeded(600s, now);
        CHECK(schedule.fetch_for("a", now + 1s));  // the set was just fetched, and keys may have changed since
        schedule.succeeded(600s, now + 1s);
        schedule.missed("a", now + 1s);
        CHECK_FALSE(schedule.fetch_for("b", now + 30s));
        CHECK(schedule.fetch_for("b", now + 31s));
        schedule.succeeded(600s, now + 31s);
        schedule.missed("b", now + 31s);
        CHECK_FALSE(schedule.fetch_for("a", now + 60s));
        CHECK(schedule.fetch_for("a", now + 61s));
        CHECK_FALSE(schedule.fetch_for("b", now + 90s));
        CHECK_FALSE(schedule.fetch_for("c", now + 90s));
        CHECK(schedule.fetch_for("b", now + 91s));
    }

    TEST_CASE("After a failure there is a pause of 5 s") {
        auth::jwks_schedule schedule;
        const base::steady_time now{1000s};
        schedule.failed(now);
        CHECK(schedule.failing());
        CHECK_FALSE(schedule.fetch_for("a", now + 4s));
        CHECK(schedule.fetch_for("a", now + 5s));
    }
}
