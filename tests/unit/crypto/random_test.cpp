#include "crypto/random.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

using namespace concurred;

TEST_SUITE("crypto/random") {
    TEST_CASE("random bytes for keys fill all of the buffer and differ from call to call") {
        std::set<std::array<std::uint8_t, 32>> seen;
        for (int i = 0; i < 1000; ++i) {
            std::array<std::uint8_t, 32> bytes{};
            REQUIRE(crypto::fill_random(bytes).has_value());
            CHECK(seen.insert(bytes).second);
        }
        std::vector<std::uint8_t> large(3 << 20);
        REQUIRE(crypto::fill_random(large).has_value());
        // 4096 zero bytes in a row have a chance of 2^-32768: they would be a part that was left out.
        CHECK(std::search_n(large.begin(), large.end(), 4096, std::uint8_t{0}) == large.end());
        CHECK(crypto::fill_random({}).has_value());
    }

    TEST_CASE("the pool never gives the same bytes twice, also across refills and for more than it holds") {
        crypto::random_pool pool;
        std::set<std::array<std::uint8_t, 16>> seen;
        std::array<std::uint8_t, 16> block{};
        // 16 divides the pool's size, 3 shifts the blocks so that they lie across its end.
        std::array<std::uint8_t, 3> shift{};
        for (int i = 0; i < 10'000; ++i) {
            pool.fill(block);
            CHECK(seen.insert(block).second);
            if (i % 100 == 0) {
                pool.fill(shift);
            }
        }
        std::vector<std::uint8_t> large(16 * 1024);
        pool.fill(large);
        for (std::size_t i = 0; i < large.size(); i += block.size()) {
            std::copy_n(large.begin() + static_cast<std::ptrdiff_t>(i), block.size(), block.begin());
            CHECK(seen.insert(block).second);
        }
    }

    TEST_CASE("two pools give different bytes") {
        crypto::random_pool one;
        crypto::random_pool other;
        std::array<std::uint8_t, 32> a{};
        std::array<std::uint8_t, 32> b{};
        one.fill(a);
        other.fill(b);
        CHECK(a != b);
    }

    TEST_CASE("an event id has the layout of a UUID version 7") {
        crypto::random_pool pool;
        // The time of the example in RFC 9562 A.6: 2022-02-22T19:22:22Z = 0x017f22e279b0.
        for (int i = 0; i < 1000; ++i) {
            const base::event_id id = crypto::make_event_id(1'645'557'742'000, pool);
            const std::string text = crypto::to_text(id);
            REQUIRE(text.size() == 36);
            CHECK(text.substr(0, 15) == "017f22e2-79b0-7");
            CHECK(std::string("89ab").find(text[19]) != std::string::npos);
        }
    }

    TEST_CASE("the random part of event ids uses all of its 74 bits") {
        crypto::random_pool pool;
        base::event_id ones{};
        base::event_id zeros{};
        for (int i = 0; i < 200; ++i) {
            const base::event_id id = crypto::make_event_id(0, pool);
            for (std::size_t b = 0; b < id.size(); ++b) {
                ones[b] = static_cast<std::uint8_t>(ones[b] | id[b]);
                zeros[b] = static_cast<std::uint8_t>(zeros[b] | (id[b] ^ 0xff));
            }
        }
        const base::event_id all_ones{0, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xbf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
        const base::event_id all_zeros{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x8f, 0xff,
                                       0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
        CHECK(ones == all_ones);
        CHECK(zeros == all_zeros);
    }

    TEST_CASE("event ids are unique and ordered by their millisecond") {
        crypto::random_pool pool;
        std::set<base::event_id> seen;
        base::event_id before{};
        for (std::int64_t ms = 1'700'000'000'000; ms < 1'700'000'100'000; ++ms) {
            const base::event_id id = crypto::make_event_id(ms, pool);
            CHECK(before < id);
            before = id;
        }
        for (int i = 0; i < 100'000; ++i) {
            seen.insert(crypto::make_event_id(1'700'000'000'000, pool));
        }
        CHECK(seen.size() == 100'000);
    }

    TEST_CASE("an event id before 1970 counts as 1970") {
        crypto::random_pool pool;
        CHECK(crypto::to_text(crypto::make_event_id(-1, pool)).substr(0, 15) == "00000000-0000-7");
    }

    TEST_CASE("the text of an event id is grouped 8-4-4-4-12 in lower case") {
        // The UUID of RFC 9562 A.6.
        const base::event_id id{0x01, 0x7f, 0x22, 0xe2, 0x79, 0xb0, 0x7c, 0xc3,
                                0x98, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f};
        CHECK(crypto::to_text(id) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
        std::array<char, 38> text{};
        text.fill('#');
        crypto::to_chars(id, std::span(text).subspan<1, crypto::event_id_chars>());
        CHECK(std::string(text.data(), text.size()) == "#017f22e2-79b0-7cc3-98c4-dc0c0c07398f#");
    }

    TEST_CASE("alphanumeric text has the length asked for and every character about equally often") {
        CHECK(crypto::random_alphanumeric(0).empty());
        CHECK(crypto::random_alphanumeric(1).size() == 1);
        constexpr std::size_t per_character = 10'000;
        const std::string text = crypto::random_alphanumeric(62 * per_character);
        REQUIRE(text.size() == 62 * per_character);
        std::array<std::size_t, 256> counts{};
        for (const char c : text) {
            ++counts[static_cast<unsigned char>(c)];
        }
        for (std::size_t c = 0; c < counts.size(); ++c) {
            const bool allowed = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
            CAPTURE(c);
            if (!allowed) {
                CHECK(counts[c] == 0);
                continue;
            }
            // The standard deviation is 99: eight of them never happen by chance; bytes taken modulo 62 would put a
            // fifth more (2,100) on eight of the characters.
            CHECK(counts[c] > per_character - 800);
            CHECK(counts[c] < per_character + 800);
        }
        CHECK(crypto::random_alphanumeric(24) != crypto::random_alphanumeric(24));
    }
}
