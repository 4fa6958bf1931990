#include "storage/crc32c.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <random>
#include <span>
#include <string_view>
#include <vector>

using namespace concurred::storage;

namespace {

std::vector<std::uint8_t> bytes(std::string_view text) {
    return {text.begin(), text.end()};
}

std::vector<std::uint8_t> counted(int from, int step) {
    std::vector<std::uint8_t> out;
    for (int i = 0; i < 32; ++i) {
        out.push_back(static_cast<std::uint8_t>(from + step * i));
    }
    return out;
}

}  // namespace

TEST_SUITE("storage/crc32c") {
    TEST_CASE("the vectors of RFC 3720 appendix B.4") {
        for (const auto function : {crc32c, crc32c_portable}) {
            CHECK(function(std::vector<std::uint8_t>(32, 0), 0) == 0x8A9136AA);
            CHECK(function(std::vector<std::uint8_t>(32, 0xFF), 0) == 0x62A8AB43);
            CHECK(function(counted(0, 1), 0) == 0x46DD794E);
            CHECK(function(counted(31, -1), 0) == 0x113FDB5C);
            CHECK(function(bytes("123456789"), 0) == 0xE3069283);  // the check value of all CRC catalogues
            CHECK(function({}, 0) == 0);
        }
    }

    TEST_CASE("the instruction and the portable code agree on every length, whole and in parts") {
        std::mt19937 random(1);
        for (std::size_t size = 0; size < 100; ++size) {
            std::vector<std::uint8_t> data(size);
            for (auto& b : data) {
                b = static_cast<std::uint8_t>(random());
            }
            const std::uint32_t whole = crc32c(data);
            CHECK(whole == crc32c_portable(data));
            const std::span<const std::uint8_t> all(data);
            CHECK(whole == crc32c(all.subspan(size / 3), crc32c(all.first(size / 3))));
        }
    }
}
