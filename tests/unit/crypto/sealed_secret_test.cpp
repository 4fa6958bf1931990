#include "crypto/sealed_secret.hpp"

#include "crypto/encoding.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>

using namespace concurred;
using crypto::unseal_fault;

namespace {

std::string master(char byte) {
    std::string bytes(32, byte);
    bytes[0] = static_cast<char>(byte + 1);
    return crypto::base64_encode(bytes);
}

crypto::key_ring ring_of(const std::string& text) {
    auto ring = crypto::key_ring::parse(text);
    REQUIRE(ring.has_value());
    return std::move(*ring);
}

constexpr crypto::seal_place place{.table = "provider_key", .row_id = "pk_1", .owner = "ann", .provider = "openai"};
constexpr std::string_view secret = "sk-0123456789";

}  // namespace

TEST_SUITE("crypto/sealed_secret") {
    TEST_CASE("What was sealed is opened with the same keys at the same place") {
        const auto ring = ring_of(master('a'));
        for (const std::string& text : {std::string(), std::string("x"), std::string(secret), std::string(4096, 's')}) {
            const auto sealed = crypto::seal(ring, text, place);
            REQUIRE(sealed.has_value());
            CHECK(sealed->starts_with("cpk1."));
            CHECK(sealed->find_first_of(" \n\t") == std::string::npos);
            const auto opened = crypto::unseal(ring, *sealed, place);
            CHECK(opened.fault == unseal_fault::none);
            CHECK(opened.secret.reveal() == text);
        }
        CHECK_FALSE(crypto::seal(ring, std::string(4097, 's'), place).has_value());
        CHECK_FALSE(crypto::seal(crypto::key_ring(), secret, place).has_value());
    }

    TEST_CASE("The same secret is sealed to another text each time") {
        const auto ring = ring_of(master('a'));
        CHECK(*crypto::seal(ring, secret, place) != *crypto::seal(ring, secret, place));
    }

    TEST_CASE("Every flipped bit of a record is noticed") {
        const auto ring = ring_of(master('a'));
        const auto sealed = crypto::seal(ring, secret, place).value();
        const std::string bytes = crypto::base64url_decode(std::string_view(sealed).substr(5)).value();
        // Version, algorithm, length of the id, id (9), salt, nonce, text, tag.
        REQUIRE(bytes.size() == 3 + 9 + 32 + 12 + secret.size() + 16);
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            for (int bit = 0; bit < 8; ++bit) {
                CAPTURE(i);
                CAPTURE(bit);
                std::string changed = bytes;
                changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
                const auto opened = crypto::unseal(ring, "cpk1." + crypto::base64url_encode(changed), place);
                CHECK(opened.fault != unseal_fault::none);
                CHECK(opened.secret.empty());
            }
        }
    }

    TEST_CASE("A record that was cut or made longer is noticed") {
        const auto ring = ring_of(master('a'));
        const auto sealed = crypto::seal(ring, secret, place).value();
        const std::string bytes = crypto::base64url_decode(std::string_view(sealed).substr(5)).value();
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            CHECK(crypto::unseal(ring, "cpk1." + crypto::base64url_encode(bytes.substr(0, size)), place).fault !=
                  unseal_fault::none);
        }
        CHECK(crypto::unseal(ring, "cpk1." + crypto::base64url_encode(bytes + '\0'), place).fault ==
              unseal_fault::forged);
        for (const std::string& text :
             {std::string(), sealed.substr(5), "cpk2." + sealed.substr(5), " " + sealed, sealed + "="}) {
            CHECK(crypto::unseal(ring, text, place).fault == unseal_fault::malformed);
        }
    }

    TEST_CASE("A record is of no use at another place") {
        const auto ring = ring_of(master('a'));
        const auto sealed = crypto::seal(ring, secret, place).value();
        auto table = place, row = place, owner = place, provider = place;
        table.table = "other";
        row.row_id = "pk_2";
        owner.owner = "bob";
        provider.provider = "x-ai";
        for (const auto& other : {table, row, owner, provider}) {
            CHECK(crypto::unseal(ring, sealed, other).fault == unseal_fault::forged);
        }
    }

    TEST_CASE("The parts of a place cannot run into each other") {
        const auto ring = ring_of(master('a'));
        const crypto::seal_place one{.table = "t", .row_id = "ab", .owner = "c", .provider = "p"};
        const crypto::seal_place other{.table = "t", .row_id = "a", .owner = "bc", .provider = "p"};
        CHECK(crypto::unseal(ring, crypto::seal(ring, secret, one).value(), other).fault == unseal_fault::forged);
    }

    TEST_CASE("The first of several master keys seals, all of them open") {
        const auto before = ring_of("old:" + master('a'));
        const auto sealed = crypto::seal(before, secret, place).value();
        CHECK(crypto::sealing_key_of(sealed) == "old");

        const auto during = ring_of("new:" + master('b') + ", old:" + master('a'));
        CHECK(crypto::unseal(during, sealed, place).secret.reveal() == secret);
        const auto again = crypto::seal(during, secret, place).value();
        CHECK(crypto::sealing_key_of(again) == "new");

        const auto after = ring_of("new:" + master('b'));
        CHECK(crypto::unseal(after, again, place).secret.reveal() == secret);
        CHECK(crypto::unseal(after, sealed, place).fault == unseal_fault::unknown_key);
    }

    TEST_CASE("Another key of the same name opens nothing") {
        const auto sealed = crypto::seal(ring_of("k:" + master('a')), secret, place).value();
        CHECK(crypto::unseal(ring_of("k:" + master('b')), sealed, place).fault == unseal_fault::forged);
    }
}

TEST_SUITE("crypto/key_ring") {
    TEST_CASE("A key without a name has one that depends on the key alone") {
        const auto alone = ring_of(master('a'));
        const auto behind = ring_of(master('b') + "," + master('a'));
        CHECK(alone.size() == 1);
        CHECK(behind.size() == 2);
        CHECK(behind.active_id() != alone.active_id());
        CHECK(behind.find(alone.active_id()) == alone.active());
        CHECK(alone.find(behind.active_id()).empty());
    }

    TEST_CASE("Keys may stand on lines of their own, and none is no key") {
        CHECK(ring_of(master('a') + "\n" + master('b') + "\n").size() == 2);
        CHECK(ring_of("").empty());
        CHECK(ring_of(" \n,").empty());
    }

    TEST_CASE("Two keys of one name, one key twice, and what is no key are refused, without being quoted") {
        const std::string a = master('a');
        for (const std::string& text :
             {"x:" + a + ",x:" + master('b'), a + "," + a, "x:" + a + ",y:" + a, ":" + a, "sp%ce:" + a,
              std::string(33, 'n') + ":" + a, a.substr(1), "x:" + std::string(44, 'A'), std::string("x:"),
              crypto::base64_encode(std::string(32, '\0'))}) {
            CAPTURE(text);
            const auto ring = crypto::key_ring::parse(text);
            REQUIRE_FALSE(ring.has_value());
            CHECK(std::string(base::text_of(ring.error())).find(a.substr(4, 20)) == std::string::npos);
        }
    }
}
