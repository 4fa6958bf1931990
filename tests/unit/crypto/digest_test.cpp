#include "crypto/digest.hpp"

#include "crypto/bytes.hpp"
#include "crypto/encoding.hpp"
#include "tests/unit/crypto/openssl_memory.hpp"

#include <doctest/doctest.h>
#include <openssl/crypto.h>
#include <boost/json.hpp>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

using namespace concurred;

namespace {

std::string hex(const crypto::digest256& digest) {
    return crypto::hex_encode(crypto::to_view(digest));
}

std::string unhex(std::string_view text) {
    return crypto::hex_decode(text).value();
}

}  // namespace

TEST_SUITE("crypto/digest") {
    TEST_CASE("SHA-256 gives the digests of the standard, from one reused hasher") {
        struct row {
            std::string data;
            const char* digest;
        };
        // FIPS 180-4 examples and NIST CAVP SHA256ShortMsg.
        const row rows[] = {
            {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
            {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
            {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
             "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
            {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstn"
             "o"
             "pqrstu",
             "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
            {std::string(1'000'000, 'a'), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
            {std::string(1, '\xd3'), "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1"},
        };
        crypto::sha256_hasher hash;
        for (const row& r : rows) {
            CAPTURE(r.data.size());
            CHECK(hex(hash(r.data)) == r.digest);
        }
        CHECK(hex(hash("abc")) == rows[0].digest);
    }

    TEST_CASE("SHA-256 takes a view without memory as empty") {
        crypto::sha256_hasher hash;
        CHECK(hash(std::string_view()) == hash(""));
    }

    TEST_CASE("hashing allocates nothing, but for the one block that OpenSSL 3.0 renews") {
        if (!crypto::openssl_memory::watching()) {
            MESSAGE("skipped: OpenSSL had allocated before the test program could watch it");
            return;
        }
        crypto::sha256_hasher hash;
        const std::string key = "ck_8DfbjXLth7APvt3qQPgtf";
        CHECK(hash(key) == hash(key));
        constexpr unsigned long openssl_3_1 = 0x30100000;
        const std::size_t per_hash = OpenSSL_version_num() < openssl_3_1 ? 1 : 0;
        const std::size_t before = crypto::openssl_memory::allocations();
        for (int i = 0; i < 100; ++i) {
            static_cast<void>(hash(key));
        }
        CHECK(crypto::openssl_memory::allocations() - before <= 100 * per_hash);
    }

    TEST_CASE("a key's stored hash is the one the key service would store") {
        std::string bytes;
        for (char c = 1; c <= 16; ++c) {
            bytes.push_back(c);
        }
        const std::string key = "ck_" + crypto::base58_encode(bytes);
        CHECK(key == "ck_8DfbjXLth7APvt3qQPgtf");
        crypto::sha256_hasher hash;
        CHECK(crypto::base64_encode(crypto::to_view(hash(key))) == "GqJbm+lGuB/lkFJPSSQLIg7RHkqIoc5O/lC0Zn53J3o=");
    }

    TEST_CASE("HMAC-SHA-256 gives the codes of RFC 4231") {
        struct row {
            std::string key;
            std::string data;
            const char* code;
        };
        const row rows[] = {
            {std::string(20, '\x0b'), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
            {"Jefe", "what do ya want for nothing?",
             "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
            {std::string(20, '\xaa'), std::string(50, '\xdd'),
             "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
            {unhex("0102030405060708090a0b0c0d0e0f10111213141516171819"), std::string(50, '\xcd'),
             "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
            {std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
             "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
            {std::string(131, '\xaa'),
             "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be "
             "hashed before being used by the HMAC algorithm.",
             "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
        };
        for (const row& r : rows) {
            CAPTURE(r.data);
            CHECK(hex(crypto::hmac_sha256(r.key, r.data)) == r.code);
        }
        // Case 5 publishes the first 128 bits only.
        CHECK(hex(crypto::hmac_sha256(std::string(20, '\x0c'), "Test With Truncation")).substr(0, 32) ==
              "a3b6167473100ee06e0c796c2955552b");
    }

    TEST_CASE("HMAC-SHA-256 takes an empty key and empty data") {
        // The well-known code of nothing under no key.
        const char* code = "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";
        CHECK(hex(crypto::hmac_sha256("", "")) == code);
        CHECK(hex(crypto::hmac_sha256(std::string_view(), std::string_view())) == code);
    }

    TEST_CASE("HKDF-SHA-256 gives the keys of RFC 5869") {
        // A.1 and A.2 derive more than 32 bytes; the first 32 do not depend on the length asked for.
        CHECK(hex(crypto::hkdf_sha256(std::string(22, '\x0b'), unhex("000102030405060708090a0b0c"),
                                      unhex("f0f1f2f3f4f5f6f7f8f9"))) ==
              "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf");
        std::string key;
        std::string salt;
        std::string info;
        for (int i = 0; i < 80; ++i) {
            key.push_back(static_cast<char>(i));
            salt.push_back(static_cast<char>(0x60 + i));
            info.push_back(static_cast<char>(0xb0 + i));
        }
        CHECK(hex(crypto::hkdf_sha256(key, salt, info)) ==
              "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c");
        CHECK(hex(crypto::hkdf_sha256(std::string(22, '\x0b'), "", "")) ==
              "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d");
    }

    TEST_CASE("HKDF-SHA-256 agrees with the Wycheproof vectors") {
        const char* shared = std::getenv("CONCURRED_SHARED");
        const std::string path = std::string(shared != nullptr ? shared : "../shared") +
                                 "/fixtures/third-party/wycheproof/hkdf_sha256_test.json";
        std::ifstream file(path);
        if (!file) {
            MESSAGE("skipped: no file ", path);
            return;
        }
        const std::string text{std::istreambuf_iterator<char>(file), {}};
        const boost::json::value vectors = boost::json::parse(text);
        int checked = 0;
        for (const auto& group : vectors.at("testGroups").as_array()) {
            for (const auto& test : group.at("tests").as_array()) {
                const auto field = [&test](const char* name) {
                    return unhex(std::string_view(test.at(name).as_string()));
                };
                CAPTURE(test.at("tcId").as_int64());
                // The invalid ones ask for more than HKDF can give; this function cannot be asked for that.
                if (test.at("result").as_string() != "valid") {
                    CHECK(test.at("size").as_int64() > 255 * 32);
                    continue;
                }
                const crypto::digest256 derived = crypto::hkdf_sha256(field("ikm"), field("salt"), field("info"));
                const std::string expected = field("okm");
                const std::size_t common = std::min(derived.size(), expected.size());
                CHECK(crypto::to_view(derived).substr(0, common) == std::string_view(expected).substr(0, common));
                ++checked;
            }
        }
        CHECK(checked > 50);
    }

    TEST_CASE("comparing secrets tells equal from different") {
        CHECK(crypto::equal_constant_time("", ""));
        CHECK(crypto::equal_constant_time("ck_abc", "ck_abc"));
        CHECK_FALSE(crypto::equal_constant_time("ck_abc", "ck_abd"));
        CHECK_FALSE(crypto::equal_constant_time("ck_abc", "ck_ab"));
        CHECK_FALSE(crypto::equal_constant_time("", "c"));
        CHECK(crypto::equal_constant_time(std::string_view(), ""));
    }
}
