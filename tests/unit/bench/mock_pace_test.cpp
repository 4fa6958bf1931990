#include "bench/mock_pace.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

using concurred::bench::mock_pace;
using concurred::bench::mock_trace;
using concurred::bench::read_mock_trace;
using namespace std::chrono_literals;

namespace {

std::vector<double> gaps_of(std::uint64_t seed, std::size_t count) {
    mock_pace pace;
    pace.begin(10ms, 50, nullptr, seed);
    std::vector<double> gaps;
    auto before = pace.offset(0);
    for (std::size_t i = 1; i <= count; ++i) {
        const auto at = pace.offset(i);
        gaps.push_back(static_cast<double>((at - before).count()));
        before = at;
    }
    return gaps;
}

}  // namespace

TEST_SUITE("bench/mock_pace") {
    TEST_CASE("constant gaps are multiples, and never overflow") {
        mock_pace pace;
        pace.begin(20ms, 0, nullptr, 1);
        CHECK(pace.offset(0) == 0ms);
        CHECK(pace.offset(7) == 140ms);
        CHECK(pace.offset(std::uint64_t{1} << 60) > 24h);
        CHECK_FALSE(pace.immediate());
        pace.begin(0ms, 50, nullptr, 1);
        CHECK(pace.immediate());
    }

    TEST_CASE("log-normal gaps have their median and their deviation") {
        auto gaps = gaps_of(1, 20'001);
        double sum = 0;
        double squares = 0;
        for (const double gap : gaps) {
            const double logarithm = std::log(gap);
            sum += logarithm;
            squares += logarithm * logarithm;
        }
        const double mean = sum / static_cast<double>(gaps.size());
        CHECK(std::exp(mean) == doctest::Approx(10'000).epsilon(0.02));
        CHECK(std::sqrt(squares / static_cast<double>(gaps.size()) - mean * mean) ==
              doctest::Approx(0.5).epsilon(0.02));
        std::ranges::nth_element(gaps, gaps.begin() + 10'000);
        CHECK(gaps[10'000] == doctest::Approx(10'000).epsilon(0.02));
    }

    TEST_CASE("log-normal gaps are the same for the same request and others for another") {
        CHECK(gaps_of(1, 50) == gaps_of(1, 50));
        CHECK(gaps_of(1, 50) != gaps_of(2, 50));
    }

    TEST_CASE("a far position is reached without all the steps to it") {
        mock_pace pace;
        pace.begin(1us, 50, nullptr, 1);
        const double mean = std::exp(0.125);  // of a log-normal distribution with this deviation and median 1
        CHECK(static_cast<double>(pace.offset(1'000'000'000).count()) == doctest::Approx(1e9 * mean).epsilon(0.2));
    }

    TEST_CASE("a recording gives its own gaps, again and again") {
        mock_trace trace;
        CHECK(read_mock_trace("# times\n20ms\r\n30ms\n\n90ms", trace).empty());
        mock_pace pace;
        pace.begin(1h, 50, &trace, 1);
        CHECK(pace.offset(0) == 20ms);
        CHECK(pace.offset(1) == 30ms);
        CHECK(pace.offset(2) == 90ms);
        CHECK(pace.offset(3) == 100ms);
        CHECK(pace.offset(6) == 230ms);
    }

    TEST_CASE("what is no recording is named with its line") {
        mock_trace trace;
        CHECK(read_mock_trace("20ms\n10ms\n", trace).starts_with("line 2"));
        CHECK(read_mock_trace("# a\n20ms\nsoon\n", trace).starts_with("line 3"));
        CHECK_FALSE(read_mock_trace("20ms\n", trace).empty());
        CHECK_FALSE(read_mock_trace("", trace).empty());
    }
}
