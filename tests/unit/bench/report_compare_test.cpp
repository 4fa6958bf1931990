#include "bench/report_compare.hpp"
#include "bench/arrivals.hpp"
#include "bench/report_json.hpp"

#include <doctest/doctest.h>

#include <vector>

using concurred::bench::bootstrap_ratio;
using concurred::bench::compared_figure;
using concurred::bench::growth_per_hour;
using concurred::bench::judge_ratio;
using concurred::bench::load_reading;
using concurred::bench::median_of;
using concurred::bench::process_load;
using concurred::bench::ratio_interval;
using concurred::bench::repeatable_random;
using namespace std::chrono_literals;
using verdict = compared_figure::verdict;

namespace {

/// Values spread evenly within `width` of `centre` on both sides.
std::vector<double> around(double centre, double width, std::size_t count, std::uint64_t seed) {
    repeatable_random random(seed);
    std::vector<double> values;
    for (std::size_t i = 0; i < count; ++i) {
        values.push_back(centre + width * (2 * random.unit() - 1));
    }
    return values;
}

}  // namespace

TEST_SUITE("bench/report_compare") {
    TEST_CASE("the median is the middle, or the mean of both middles") {
        CHECK(median_of({3}) == 3);
        CHECK(median_of({9, 1, 5}) == 5);
        CHECK(median_of({4, 1, 3, 2}) == 2.5);
    }

    TEST_CASE("without spread the interval is the ratio itself") {
        const std::vector<double> a(5, 10);
        const std::vector<double> b(7, 12);
        const auto r = bootstrap_ratio(a, b, 0.95);
        CHECK(r.ratio == doctest::Approx(1.2));
        CHECK(r.low == doctest::Approx(1.2));
        CHECK(r.high == doctest::Approx(1.2));
    }

    TEST_CASE("the interval holds the true ratio about as often as it claims") {
        int held = 0;
        constexpr int times = 100;
        for (int i = 0; i < times; ++i) {
            const auto seed = static_cast<std::uint64_t>(i);
            const auto r =
                bootstrap_ratio(around(100, 20, 25, 2 * seed), around(110, 20, 25, 2 * seed + 1), 0.95, seed);
            CHECK(r.low <= r.high);
            held += r.low <= 1.1 && 1.1 <= r.high ? 1 : 0;
        }
        CHECK(held >= 88);  // 95 are expected, with a deviation of 2.2
    }

    TEST_CASE("a difference far beyond the noise is outside the interval of no difference") {
        const auto r = bootstrap_ratio(around(100, 5, 20, 1), around(130, 5, 20, 2), 0.95);
        CHECK(r.low > 1.2);
        CHECK(r.high < 1.4);
    }

    TEST_CASE("what counts is the interval, not the ratio, and the side that is better") {
        CHECK(judge_ratio({1.2, 1.1, 1.3}, true, 0.05) == verdict::worse);
        CHECK(judge_ratio({1.2, 1.1, 1.3}, false, 0.05) == verdict::better);
        CHECK(judge_ratio({0.8, 0.7, 0.9}, true, 0.05) == verdict::better);
        CHECK(judge_ratio({0.8, 0.7, 0.9}, false, 0.05) == verdict::worse);
        CHECK(judge_ratio({1.01, 0.98, 1.04}, true, 0.05) == verdict::same);
        CHECK(judge_ratio({1.2, 1.0, 1.4}, true, 0.05) == verdict::unsure);
        CHECK(judge_ratio({1.2, 1.1, 1.3}, true, 0.5) == verdict::same);
    }

    TEST_CASE("growth of memory is the slope of the measured part") {
        std::vector<load_reading> readings;
        for (int i = 0; i <= 10; ++i) {
            // 100 MiB in the warm-up, then 1 MiB more each minute.
            const std::uint64_t mib = i < 5 ? 100 : 100 + static_cast<std::uint64_t>(i);
            readings.push_back({i * 60s, process_load{0ns, mib << 20}, 0ns});
        }
        CHECK(growth_per_hour(readings, 5min) == doctest::Approx(60.0 * 1'048'576));
        CHECK(growth_per_hour({}, 0ns) == 0);
    }
}
