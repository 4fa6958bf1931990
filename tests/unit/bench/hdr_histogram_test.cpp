#include "bench/hdr_histogram.hpp"

#include <doctest/doctest.h>

#include <array>

using concurred::bench::hdr_histogram;

TEST_SUITE("bench/hdr_histogram") {
    TEST_CASE("values up to 2047 are kept exactly") {
        hdr_histogram h;
        for (int i = 1; i <= 100; ++i) {
            h.record(i);
        }
        CHECK(h.count() == 100);
        CHECK(h.min() == 1);
        CHECK(h.max() == 100);
        CHECK(h.mean() == doctest::Approx(50.5));
        // The nearest-rank definition: the least value that at least the share does not exceed.
        CHECK(h.percentile(50) == 50);
        CHECK(h.percentile(99) == 99);
        CHECK(h.percentile(99.5) == 100);
        CHECK(h.percentile(100) == 100);
        CHECK(h.percentile(0) == 1);
    }

    TEST_CASE("larger values are kept to three digits") {
        for (const std::int64_t value : {2'048LL, 123'456LL, 5'000'000LL, 3'600'000'000LL, 1'000'000'000'000LL}) {
            hdr_histogram h;
            h.record(value);
            h.record(hdr_histogram::highest);  // so that the greatest value does not stand in for it
            CHECK(h.percentile(50) >= value);
            CHECK(static_cast<double>(h.percentile(50) - value) <= static_cast<double>(value) / 1000);
        }
    }

    TEST_CASE("values out of range count as the nearest in range") {
        hdr_histogram h;
        h.record(-5);
        h.record(std::int64_t{1} << 60);
        CHECK(h.min() == 0);
        CHECK(h.max() == hdr_histogram::highest);
        CHECK(h.count() == 2);
    }

    TEST_CASE("without values everything is 0") {
        const hdr_histogram h;
        CHECK(h.count() == 0);
        CHECK(h.percentile(99) == 0);
        CHECK(h.max() == 0);
        CHECK(h.mean() == 0);
        CHECK(h.count_up_to(1'000) == 0);
    }

    TEST_CASE("merging is the same as recording everything in one") {
        hdr_histogram all;
        std::array<hdr_histogram, 3> parts;
        for (int i = 0; i < 3'000; ++i) {
            const std::int64_t value = (i * 7'919LL) % 100'003 + (i % 3 == 2 ? 10'000'000 : 0);
            all.record(value);
            parts[static_cast<std::size_t>(i % 3)].record(value);
        }
        hdr_histogram merged;
        merged.merge(hdr_histogram{});
        for (const hdr_histogram& part : parts) {
            merged.merge(part);
        }
        CHECK(merged.encoded() == all.encoded());
        CHECK(merged.min() == all.min());
        CHECK(merged.max() == all.max());
        CHECK(merged.mean() == doctest::Approx(all.mean()));
        for (const double percent : {1.0, 50.0, 66.0, 90.0, 99.0, 99.9}) {
            CHECK(merged.percentile(percent) == all.percentile(percent));
        }
    }

    TEST_CASE("how many values are at most a given one") {
        hdr_histogram h;
        h.record(10, 5);
        h.record(20, 3);
        CHECK(h.count_up_to(9) == 0);
        CHECK(h.count_up_to(10) == 5);
        CHECK(h.count_up_to(19) == 5);
        CHECK(h.count_up_to(1'000'000) == 8);
        CHECK(h.count_up_to(-1) == 0);
    }

    TEST_CASE("the encoding is version 2 of HdrHistogram's") {
        hdr_histogram h;
        h.record(2, 3);
        // Cookie 1c849313, payload of 2 bytes, offset 0, 3 digits, lowest 1, highest 2^40 - 1, ratio 1.0; then two
        // empty places (-2 in ZigZag: 3) and a count of 3 (ZigZag: 6).
        CHECK(h.encoded() == "HISTEwAAAAIAAAAAAAAAAwAAAAAAAAABAAAA//////8/8AAAAAAAAAMG");
    }
}
