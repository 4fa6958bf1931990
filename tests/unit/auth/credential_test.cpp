#include "auth/credential.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <vector>

using namespace concurred;
using auth::extract_credential;

namespace {

constexpr std::string_view good = "ck_8DfbjXLth7APvt3qQPgtf";
constexpr std::string_view other = "ck_9DfbjXLth7APvt3qQPgtf";
constexpr std::string_view bearer = "Bearer ck_8DfbjXLth7APvt3qQPgtf";

using values = std::vector<std::string_view>;

}  // namespace

TEST_SUITE("auth/credential") {
    TEST_CASE("a key is taken from either header, and from both when they agree") {
        for (const std::string_view scheme : {"Bearer ", "bearer ", "BEARER ", "bEaReR "}) {
            const std::string value = std::string(scheme) + std::string(good);
            const auto found = extract_credential(values{value}, {});
            REQUIRE(found.has_value());
            CHECK(*found == good);
        }
        CHECK(extract_credential({}, values{good}).value() == good);
        CHECK(extract_credential(values{bearer}, values{good}).value() == good);
        CHECK(extract_credential({}, values{good, good}).value() == good);
        CHECK(extract_credential(values{bearer}, values{good, "", good}).value() == good);
        CHECK(extract_credential(values{""}, values{good}).value() == good);
    }

    TEST_CASE("the key points into the header it came from") {
        const std::string value(bearer);
        CHECK(extract_credential(values{value}, {}).value().data() == value.data() + 7);
    }

    TEST_CASE("credentials that are missing, ambiguous or malformed are refused, each in one way") {
        const std::string long_key = "ck_" + std::string(510, 'A');
        const std::string longest_key = "ck_" + std::string(509, 'A');
        REQUIRE(extract_credential({}, values{longest_key}).has_value());

        struct row {
            std::string_view what;
            values authorization;
            values api_key;
            base::errc code;
        };
        const std::vector<row> rows{
            {"nothing", {}, {}, base::errc::unauthorized},
            {"empty headers", {""}, {"", ""}, base::errc::unauthorized},

            {"two Authorization lines", {bearer, bearer}, {}, base::errc::bad_request},
            {"two Authorization lines, one empty", {bearer, ""}, {}, base::errc::bad_request},
            {"different keys in both headers", {bearer}, {other}, base::errc::bad_request},
            {"different keys in two X-API-Key lines", {}, {good, other}, base::errc::bad_request},
            {"a third X-API-Key line that differs", {}, {good, "", other}, base::errc::bad_request},
            {"a key beside Basic", {"Basic dXNlcjpwYXNz"}, {good}, base::errc::bad_request},
            {"a key beside a bare Bearer", {"Bearer"}, {good}, base::errc::bad_request},
            {"a key beside a malformed one", {"Bearer nonsense"}, {good}, base::errc::bad_request},

            {"Basic", {"Basic dXNlcjpwYXNz"}, {}, base::errc::invalid_api_key},
            {"no scheme", {good}, {}, base::errc::invalid_api_key},
            {"Bearer alone", {"Bearer"}, {}, base::errc::invalid_api_key},
            {"two spaces", {"Bearer  ck_8DfbjXLth7APvt3qQPgtf"}, {}, base::errc::invalid_api_key},
            {"a tab", {"Bearer\tck_8DfbjXLth7APvt3qQPgtf"}, {}, base::errc::invalid_api_key},
            {"something behind the key", {"Bearer ck_8DfbjXLth7APvt3qQPgtf x"}, {}, base::errc::invalid_api_key},
            {"two keys in one line",
             {},
             {"ck_8DfbjXLth7APvt3qQPgtf, ck_8DfbjXLth7APvt3qQPgtf"},
             base::errc::invalid_api_key},
            {"a scheme in X-API-Key", {}, {bearer}, base::errc::invalid_api_key},
            {"another prefix", {}, {"sk_8DfbjXLth7APvt3qQPgtf"}, base::errc::invalid_api_key},
            {"the prefix in capitals", {}, {"CK_8DfbjXLth7APvt3qQPgtf"}, base::errc::invalid_api_key},
            {"a session token", {"Bearer eyJhbGciOiJIUzI1NiJ9.e30.c2ln"}, {}, base::errc::invalid_api_key},
            {"fifteen characters", {}, {"ck_8DfbjXLth7APvt3"}, base::errc::invalid_api_key},
            {"the prefix alone", {}, {"ck_"}, base::errc::invalid_api_key},
            {"zero is not base58", {}, {"ck_8DfbjXLth7APvt3qQPgt0"}, base::errc::invalid_api_key},
            {"capital O is not base58", {}, {"ck_8DfbjXLth7APvt3qQPgtO"}, base::errc::invalid_api_key},
            {"capital I is not base58", {}, {"ck_8DfbjXLth7APvt3qQPgtI"}, base::errc::invalid_api_key},
            {"small l is not base58", {}, {"ck_8DfbjXLth7APvt3qQPgtl"}, base::errc::invalid_api_key},
            {"an octet above ASCII", {}, {"ck_8DfbjXLth7APvt3qQPgt\xc3"}, base::errc::invalid_api_key},
            {"513 bytes", {}, {long_key}, base::errc::invalid_api_key},
        };
        for (const row& r : rows) {
            CAPTURE(r.what);
            const auto found = extract_credential(r.authorization, r.api_key);
            REQUIRE(found.has_error());
            const base::error& error = found.error();
            CHECK(error.code == r.code);
            // Nothing of what was sent comes back, and all malformed keys look alike.
            CHECK(error.message.find("ck_") == std::string::npos);
            CHECK(error.details.empty());
            if (r.code == base::errc::invalid_api_key) {
                CHECK(error.message.empty());
                CHECK(base::status_of(error) == 401);
            }
        }
    }

    TEST_CASE("sixteen characters after the prefix are enough") {
        CHECK(extract_credential({}, values{"ck_8DfbjXLth7APvt3q"}).has_value());
    }

    TEST_CASE("imported keys may have prefixes of their own") {
        constexpr std::array<std::string_view, 2> prefixes{"ck_", "live_"};
        const auth::credential_rules rules{.prefixes = prefixes};
        CHECK(extract_credential({}, values{"live_8DfbjXLth7APvt3qQPgtf"}, rules).has_value());
        CHECK(extract_credential({}, values{good}, rules).has_value());
        CHECK(extract_credential({}, values{"test_8DfbjXLth7APvt3qQPgtf"}, rules).has_error());
    }
}
