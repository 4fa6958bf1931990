#include "crypto/aes_gcm.hpp"

#include "crypto/encoding.hpp"
#include "tests/support/fixture_files.hpp"

#include <doctest/doctest.h>
#include <boost/json.hpp>

#include <string>

using namespace concurred;

namespace {

std::string unhex(const boost::json::value& text) {
    const auto& s = text.as_string();
    return crypto::hex_decode(std::string_view(s.data(), s.size())).value();
}

const std::string key(32, 'k');
const std::string nonce(12, 'n');

}  // namespace

TEST_SUITE("crypto/aes_gcm") {
    TEST_CASE("Wycheproof: what fits is sealed and opened, a changed text is not, other sizes are refused") {
        const auto folder = test::third_party_fixtures();
        if (folder.empty()) {
            return;
        }
        const auto file = boost::json::parse(test::read_file(folder / "wycheproof" / "aes_gcm_test.json"));
        int valid = 0;
        int invalid = 0;
        int other_sizes = 0;
        for (const auto& group : file.at("testGroups").as_array()) {
            const bool fits = group.at("keySize") == 256 && group.at("ivSize") == 96 && group.at("tagSize") == 128;
            for (const auto& test : group.at("tests").as_array()) {
                CAPTURE(test.at("tcId").as_int64());
                const auto opened =
                    crypto::aes256_gcm_open(unhex(test.at("key")), unhex(test.at("iv")), unhex(test.at("aad")),
                                            unhex(test.at("ct")) + unhex(test.at("tag")));
                if (!fits) {
                    CHECK_FALSE(opened);
                    ++other_sizes;
                    continue;
                }
                if (test.at("result") == "invalid") {
                    CHECK_FALSE(opened);
                    ++invalid;
                    continue;
                }
                ++valid;
                REQUIRE(opened);
                CHECK(opened->reveal() == unhex(test.at("msg")));
                const auto sealed = crypto::aes256_gcm_seal(unhex(test.at("key")), unhex(test.at("iv")),
                                                            unhex(test.at("aad")), unhex(test.at("msg")));
                CHECK(sealed == unhex(test.at("ct")) + unhex(test.at("tag")));
            }
        }
        // identity.md 6.4: 66 of 316 have the sizes that are used here.
        CHECK(valid + invalid == 66);
        CHECK(invalid > 0);
        CHECK(other_sizes == 250);
    }

    TEST_CASE("A tag that is cut is refused, however short") {
        const auto sealed = crypto::aes256_gcm_seal(key, nonce, "aad", "text").value();
        REQUIRE(crypto::aes256_gcm_open(key, nonce, "aad", sealed));
        for (std::size_t size = 0; size < sealed.size(); ++size) {
            CAPTURE(size);
            CHECK_FALSE(crypto::aes256_gcm_open(key, nonce, "aad", std::string_view(sealed).substr(0, size)));
        }
    }

    TEST_CASE("Keys and nonces of other lengths are refused, sealing and opening") {
        const auto sealed = crypto::aes256_gcm_seal(key, nonce, {}, "text").value();
        for (const std::size_t size : {0U, 16U, 24U, 31U, 33U}) {
            CHECK_FALSE(crypto::aes256_gcm_seal(std::string(size, 'k'), nonce, {}, "text"));
            CHECK_FALSE(crypto::aes256_gcm_open(std::string(size, 'k'), nonce, {}, sealed));
        }
        for (const std::size_t size : {0U, 8U, 11U, 13U, 16U}) {
            CHECK_FALSE(crypto::aes256_gcm_seal(key, std::string(size, 'n'), {}, "text"));
            CHECK_FALSE(crypto::aes256_gcm_open(key, std::string(size, 'n'), {}, sealed));
        }
    }
}
