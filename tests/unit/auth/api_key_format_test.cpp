#include "auth/api_key_format.hpp"
#include "auth/credential.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <numeric>
#include <set>
#include <string>
#include <vector>

using namespace concurred;

TEST_SUITE("auth/api_key_format") {
    TEST_CASE("the known answer of the reference") {
        // identity.md 2.7: bytes 01 ... 10 (hexadecimal).
        std::vector<std::uint8_t> bytes(16);
        std::iota(bytes.begin(), bytes.end(), std::uint8_t{1});
        const auto key = auth::make_api_key(bytes);
        REQUIRE(key.has_value());
        CHECK(key->reveal() == "ck_8DfbjXLth7APvt3qQPgtf");
        CHECK(auth::hash_text(crypto::sha256_hasher()(key->reveal())) ==
              "GqJbm+lGuB/lkFJPSSQLIg7RHkqIoc5O/lC0Zn53J3o=");
        CHECK(auth::key_start(key->reveal()) == "ck_8Dfb");
    }

    TEST_CASE("leading zero bytes become ones") {
        CHECK(auth::make_api_key(std::vector<std::uint8_t>(16))->reveal() == "ck_1111111111111111");
    }

    TEST_CASE("a key has 16 to 255 random bytes") {
        struct row {
            std::size_t bytes;
            bool accepted;
        };
        for (const row& r : {row{0, false}, row{15, false}, row{16, true}, row{255, true}, row{256, false}}) {
            CAPTURE(r.bytes);
            CHECK(auth::make_api_key(std::vector<std::uint8_t>(r.bytes, 0xff)).has_value() == r.accepted);
            CHECK(auth::generate_api_key(r.bytes).has_value() == r.accepted);
        }
    }

    TEST_CASE("new keys differ, are of the stated length and pass the check for credentials") {
        std::set<std::string> seen;
        for (int i = 0; i < 200; ++i) {
            const auto key = auth::generate_api_key();
            REQUIRE(key.has_value());
            CHECK(seen.emplace(key->reveal()).second);
            CHECK(auth::is_key_shaped(key->reveal()));
            // 24 bytes give 32 or 33 characters; fewer than 30 would take 2^-17 of luck.
            CHECK(key->size() >= 33);
            CHECK(key->size() <= 36);
        }
        for (const std::size_t bytes : {auth::min_key_bytes, auth::max_key_bytes}) {
            CHECK(auth::is_key_shaped(auth::generate_api_key(bytes)->reveal()));
        }
    }

    TEST_CASE("a key id is key_ and 20 letters or digits") {
        std::set<std::string> seen;
        for (int i = 0; i < 200; ++i) {
            const std::string id = auth::make_key_id();
            CHECK(seen.insert(id).second);
            REQUIRE(id.size() == 24);
            CHECK(id.starts_with("key_"));
            CHECK(std::all_of(id.begin() + 4, id.end(), [](unsigned char c) { return std::isalnum(c) != 0; }));
        }
    }
}
