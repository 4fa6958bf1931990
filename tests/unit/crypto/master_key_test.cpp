#include "crypto/master_key.hpp"

#include "crypto/encoding.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace concurred;

namespace {

// The bytes 0x00 ... 0x1f.
constexpr std::string_view good_key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

}  // namespace

TEST_SUITE("crypto/master_key") {
    TEST_CASE("base64 of 32 bytes is a master key") {
        const auto key = crypto::parse_master_key(good_key);
        REQUIRE(key.has_value());
        CHECK(crypto::hex_encode(key->reveal()) == "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    }

    TEST_CASE("white space around a master key is dropped") {
        for (const std::string_view around : {"\n", "\r\n", " ", "\t"}) {
            CHECK(crypto::parse_master_key(std::string(around) + std::string(good_key) + std::string(around))
                      .has_value());
        }
    }

    TEST_CASE("anything else is refused with a message that says what is allowed and does not show the text") {
        struct row {
            std::string_view text;
            std::string_view why;
        };
        const row rows[] = {
            {"", "is empty"},
            {" \n", "is empty"},
            {"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "all zero"},
            {"//////////////////////////////////////////8=", "one repeated byte"},
            {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "hexadecimal"},
            {"000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F", "hexadecimal"},
            {"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==", "wrong length"},
            {"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g", "wrong length"},
            {"AAECAwQFBgcICQoLDA0ODw==", "wrong length"},
            {"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", "not base64"},
            {"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=", "not base64"},
            {"AAECAwQFBgcICQoL DA0ODxAREhMUFRYXGBkaGxwdHh8=", "not base64"},
            {"_-ECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "URL-safe"},
            {"correct horse battery staple", "not base64"},
        };
        for (const row& r : rows) {
            CAPTURE(r.text);
            const auto key = crypto::parse_master_key(r.text);
            REQUIRE(key.has_error());
            const std::string& message = key.error().message;
            CHECK(message.find(r.why) != std::string::npos);
            CHECK(message.find("base64 with padding of exactly 32 random bytes") != std::string::npos);
            if (r.text.size() > 4) {
                CHECK(message.find(r.text.substr(0, 8)) == std::string::npos);
                CHECK(message.find(r.text.substr(r.text.size() - 8)) == std::string::npos);
            }
        }
    }

    TEST_CASE("a generated master key is accepted and new every time") {
        const auto one = crypto::generate_master_key();
        const auto other = crypto::generate_master_key();
        REQUIRE(one.has_value());
        REQUIRE(other.has_value());
        CHECK(one->size() == 44);
        CHECK(one->reveal() != other->reveal());
        const auto key = crypto::parse_master_key(one->reveal());
        REQUIRE(key.has_value());
        CHECK(key->size() == crypto::master_key_bytes);
        CHECK(crypto::base64_encode(key->reveal()) == one->reveal());
    }
}
