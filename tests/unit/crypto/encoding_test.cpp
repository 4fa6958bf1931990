#include "crypto/encoding.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using namespace concurred;
using namespace std::string_view_literals;

TEST_SUITE("crypto/encoding") {
    TEST_CASE("base58 gives the texts of the Internet draft and of Bitcoin") {
        struct row {
            std::string_view hex;
            std::string_view text;
        };
        // draft-msporny-base58 section 5, then Bitcoin Core's base58_encode_decode.json.
        const row rows[] = {
            {"48656c6c6f20576f726c6421", "2NEpo7TZRRrLZSi2U"},
            {"54686520717569636b2062726f776e20666f78206a756d7073206f76657220746865206c617a7920646f672e",
             "USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z"},
            {"0000287fb4cd", "11233QC4"},
            {"", ""},
            {"61", "2g"},
            {"626262", "a3gV"},
            {"636363", "aPEr"},
            {"73696d706c792061206c6f6e6720737472696e67", "2cFupjhnEsSn59qHXstmK2ffpLv2"},
            {"00eb15231dfceb60925886b67d065299925915aeb172c06647", "1NS17iag9jJgTHD1VXjvLCEnZuQ3rJDE9L"},
            {"516b6fcd0f", "ABnLTmg"},
            {"bf4f89001e670274dd", "3SEo3LWLoPntC"},
            {"572e4794", "3EFU7m"},
            {"ecac89cad93923c02321", "EJDM8drfXA6uyA"},
            {"10c8511e", "Rt5zm"},
            {"00000000000000000000", "1111111111"},
            // An API key of 16 bytes: the known answer of the key store's reference.
            {"0102030405060708090a0b0c0d0e0f10", "8DfbjXLth7APvt3qQPgtf"},
        };
        for (const row& r : rows) {
            CAPTURE(r.hex);
            CHECK(crypto::base58_encode(crypto::hex_decode(r.hex).value()) == r.text);
        }
    }

    TEST_CASE("base58 of 255 bytes has the length that the base implies") {
        // 255 * log(256) / log(58) = 348.2
        CHECK(crypto::base58_encode(std::string(255, '\xff')).size() == 349);
    }

    TEST_CASE("base64 encodes and decodes the vectors of RFC 4648") {
        struct row {
            std::string_view data;
            std::string_view padded;
            std::string_view url;
        };
        const row rows[] = {
            {"", "", ""},
            {"f", "Zg==", "Zg"},
            {"fo", "Zm8=", "Zm8"},
            {"foo", "Zm9v", "Zm9v"},
            {"foob", "Zm9vYg==", "Zm9vYg"},
            {"fooba", "Zm9vYmE=", "Zm9vYmE"},
            {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
            // The two alphabets differ in the digits 62 and 63.
            {"\xfb\xff\xfe"sv, "+//+", "-__-"},
            {"\x00\x10\x83"sv, "ABCD", "ABCD"},
        };
        for (const row& r : rows) {
            CAPTURE(r.padded);
            CHECK(crypto::base64_encode(r.data) == r.padded);
            CHECK(crypto::base64_decode(r.padded) == std::string(r.data));
            CHECK(crypto::base64url_encode(r.data) == r.url);
            CHECK(crypto::base64url_decode(r.url) == std::string(r.data));
        }
    }

    TEST_CASE("base64 decodes all 64 digits to their values") {
        std::string bytes;
        for (unsigned i = 0; i < 64; i += 4) {
            const unsigned group = i << 18 | (i + 1) << 12 | (i + 2) << 6 | (i + 3);
            bytes.push_back(static_cast<char>(group >> 16 & 0xff));
            bytes.push_back(static_cast<char>(group >> 8 & 0xff));
            bytes.push_back(static_cast<char>(group & 0xff));
        }
        const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        CHECK(crypto::base64_decode(digits + "+/") == bytes);
        CHECK(crypto::base64url_decode(digits + "-_") == bytes);
    }

    TEST_CASE("base64 refuses every text that is not the one for its bytes") {
        const std::string_view texts[] = {
            "Zg",        // no padding
            "Zg=",       // too little padding
            "Zg===",     // too much padding
            "Zm9v====",  // padding without need
            "=",        "==",        "===",   "====",
            "Zh==",  // bits behind the last byte
            "Zm9=",  // the same with two bits
            "Z===",  // six bits are no byte
            "Zm9v\n",   "Zm9v\n===", " Zm9v", "Zm 9v===",
            "Zg==Zg==",  // padding in the middle
            "Z=g=",     "+_/-",      "Zm9*",  "Zm9\xc3",  "Zm9\0"sv, "-__-",
        };
        for (const std::string_view text : texts) {
            CAPTURE(text);
            CHECK_FALSE(crypto::base64_decode(text).has_value());
        }
    }

    TEST_CASE("base64url refuses padding, the other alphabet and loose bits") {
        const std::string_view texts[] = {"Zg==", "Zm8=", "Z",    "A",     "AAAAA",    "Zm9vY",
                                          "Zh",   "Zm9",  "+//+", "Zm 9v", "Zm9v\r\n", "Zm9\0"sv};
        for (const std::string_view text : texts) {
            CAPTURE(text);
            CHECK_FALSE(crypto::base64url_decode(text).has_value());
        }
    }

    TEST_CASE("hexadecimal is lower-case both ways") {
        CHECK(crypto::hex_encode("\x00\x01\x7f\x80\xab\xff"sv) == "00017f80abff");
        CHECK(crypto::hex_decode("00017f80abff") == std::string("\x00\x01\x7f\x80\xab\xff"sv));
        CHECK(crypto::hex_encode("") == "");
        CHECK(crypto::hex_decode("") == std::string());
    }

    TEST_CASE("hexadecimal refuses upper case, odd lengths and other characters") {
        for (const std::string_view text :
             {"0"sv, "AB"sv, "aB"sv, "0g"sv, "0x"sv, " 0"sv, "00 "sv, "0\0"sv, "0\xff"sv}) {
            CAPTURE(text);
            CHECK_FALSE(crypto::hex_decode(text).has_value());
        }
    }
}
