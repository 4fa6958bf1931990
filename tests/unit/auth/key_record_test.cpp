#include "auth/key_record.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace concurred;
using namespace concurred::auth;

namespace {

const key_record_codec codec("the secret of all replicas");

crypto::digest256 digest_of(std::uint8_t number) {
    crypto::digest256 digest{};
    digest[0] = number;
    return digest;
}

key_answer sample() {
    key_answer answer{.status = key_status::valid, .verified_ms = 1'795'771'000'123};
    answer.row.id = "key_1";
    answer.row.owner_id = "11111111-1111-4111-8111-111111111111";
    answer.row.name = "Zoë \"quoted\"\n";
    answer.row.rate_limit = 250;
    answer.row.rate_window_ms = 10'000;
    answer.row.spend = {.tokens_per_minute = 1'000'000'000,
                        .concurrency = 3,
                        .budget_day_nano_usd = 10,
                        .budget_month_nano_usd = 1'000'000'000'000'000};
    answer.row.expires_ms = 1'795'779'000'000;
    return answer;
}

}  // namespace

TEST_SUITE("auth/key_record") {
    TEST_CASE("what was written at a place is read there") {
        const std::string place = codec.place_of(digest_of(1));
        const std::string text = codec.encode(place, 42, sample());
        CHECK(text.starts_with("42:"));
        const auto read = codec.decode(place, text);
        REQUIRE(read.wrong == key_record_codec::fault::none);
        CHECK(read.epoch == 42);
        CHECK(read.answer.status == key_status::valid);
        CHECK(read.answer.verified_ms == 1'795'771'000'123);
        CHECK(read.answer.row.id == "key_1");
        CHECK(read.answer.row.owner_id == sample().row.owner_id);
        CHECK(read.answer.row.name == sample().row.name);
        CHECK(read.answer.row.enabled);
        CHECK(read.answer.row.rate_limit == 250);
        CHECK(read.answer.row.rate_window_ms == 10'000);
        CHECK(read.answer.row.spend == sample().row.spend);
        CHECK(read.answer.row.expires_ms == sample().row.expires_ms);
        CHECK_FALSE(read.answer.row.deleted_ms.has_value());
    }

    TEST_CASE("that nothing is known of a key is a record too") {
        const std::string place = codec.place_of(digest_of(1));
        const auto read =
            codec.decode(place, codec.encode(place, 0, {.status = key_status::not_found, .verified_ms = 7}));
        REQUIRE(read.wrong == key_record_codec::fault::none);
        CHECK(read.answer.status == key_status::not_found);
        CHECK(read.answer.row.id.empty());
    }

    TEST_CASE("a record with any one bit changed is forged") {
        const std::string place = codec.place_of(digest_of(1));
        const std::string good = codec.encode(place, 42, sample());
        for (std::size_t at = 0; at < good.size(); ++at) {
            for (const int bit : {0, 3, 7}) {
                std::string bad = good;
                bad[at] = static_cast<char>(bad[at] ^ (1 << bit));
                CAPTURE(at);
                CHECK(codec.decode(place, bad).wrong == key_record_codec::fault::forged);
            }
        }
    }

    TEST_CASE("a record that was cut, or is none, is forged") {
        const std::string place = codec.place_of(digest_of(1));
        const std::string good = codec.encode(place, 42, sample());
        for (std::size_t length = 0; length < good.size(); ++length) {
            CHECK(codec.decode(place, std::string_view(good).substr(0, length)).wrong ==
                  key_record_codec::fault::forged);
        }
        CHECK(codec.decode(place, good + " ").wrong == key_record_codec::fault::forged);
        CHECK(codec.decode(place, "{\"v\":1,\"s\":0}").wrong == key_record_codec::fault::forged);
        CHECK(codec.decode(place, "99999999999999999999999:").wrong == key_record_codec::fault::forged);
    }

    TEST_CASE("a record of one key does not count at the place of another, nor under another secret") {
        const std::string here = codec.place_of(digest_of(1));
        const std::string there = codec.place_of(digest_of(2));
        REQUIRE(here != there);
        const std::string text = codec.encode(here, 42, sample());
        CHECK(codec.decode(there, text).wrong == key_record_codec::fault::forged);
        const key_record_codec other("another secret");
        CHECK(other.decode(here, text).wrong == key_record_codec::fault::forged);
        CHECK(other.place_of(digest_of(1)) != here);
    }

    TEST_CASE("a place tells nothing of the key's digest and has the form that stores expect") {
        const std::string place = codec.place_of(digest_of(1));
        CHECK(place.size() == 64);
        CHECK(place.find_first_not_of("0123456789abcdef") == std::string::npos);
        CHECK_FALSE(place.starts_with("01"));
    }
}
