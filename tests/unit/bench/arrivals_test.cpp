#include "bench/arrivals.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

using concurred::bench::arrivals;
using concurred::bench::level_at;
using concurred::bench::load_stage;
using namespace std::chrono_literals;

namespace {

std::vector<double> times_of(arrivals plan) {
    std::vector<double> times;
    while (const auto at = plan.next()) {
        times.push_back(std::chrono::duration<double>(*at).count());
    }
    return times;
}

}  // namespace

TEST_SUITE("bench/arrivals") {
    TEST_CASE("a constant rate is evenly spaced, from the beginning to before the end") {
        const auto times = times_of(arrivals({{10, 10, 1s}}, false, 1));
        REQUIRE(times.size() == 10);
        for (std::size_t i = 0; i < times.size(); ++i) {
            CHECK(times[i] == doctest::Approx(0.1 * static_cast<double>(i)));
        }
    }

    TEST_CASE("steps follow each other without a gap in the count") {
        const auto times = times_of(arrivals({{10, 10, 1s}, {100, 100, 1s}, {5, 5, 2s}}, false, 1));
        CHECK(times.size() == 120);
        CHECK(std::ranges::count_if(times, [](double t) { return t >= 1 && t < 2; }) == 100);
        CHECK(times[10] == doctest::Approx(1.0));
        CHECK(times[110] == doctest::Approx(2.0));
    }

    TEST_CASE("a ramp reaches the number n when the integral of the rate does") {
        // Rate 20 t: the integral is 10 t^2, so request n is due at sqrt(n / 10).
        const auto times = times_of(arrivals({{0, 200, 10s}}, false, 1));
        REQUIRE(times.size() == 1'000);
        for (const std::size_t n : {1U, 10U, 250U, 999U}) {
            CHECK(times[n] == doctest::Approx(std::sqrt(static_cast<double>(n) / 10)));
        }
        const auto down = times_of(arrivals({{200, 0, 10s}}, false, 1));
        CHECK(down.size() == doctest::Approx(1'000).epsilon(0.001));
        CHECK(down[500] == doctest::Approx(10 - std::sqrt(50.0)));
    }

    TEST_CASE("generators that share a constant rate interleave to that rate") {
        std::vector<double> all;
        for (unsigned part = 0; part < 3; ++part) {
            const auto times = times_of(arrivals({{30, 30, 2s}}, false, 1, part, 3));
            all.insert(all.end(), times.begin(), times.end());
        }
        std::ranges::sort(all);
        REQUIRE(all.size() == 60);
        for (std::size_t i = 0; i < all.size(); ++i) {
            CHECK(all[i] == doctest::Approx(static_cast<double>(i) / 30));
        }
    }

    TEST_CASE("Poisson gaps are exponential: mean and deviation alike, and the rate is kept") {
        const auto times = times_of(arrivals({{1'000, 1'000, 50s}}, true, 7));
        CHECK(static_cast<double>(times.size()) == doctest::Approx(50'000).epsilon(0.02));
        double sum = 0;
        double squares = 0;
        for (std::size_t i = 1; i < times.size(); ++i) {
            const double gap = times[i] - times[i - 1];
            CHECK(gap >= 0);
            sum += gap;
            squares += gap * gap;
        }
        const auto count = static_cast<double>(times.size() - 1);
        const double mean = sum / count;
        CHECK(mean == doctest::Approx(0.001).epsilon(0.02));
        CHECK(std::sqrt(squares / count - mean * mean) == doctest::Approx(0.001).epsilon(0.03));
    }

    TEST_CASE("a seed gives the same times again, another one others") {
        const std::vector<load_stage> stages{{100, 100, 1s}};
        CHECK(times_of(arrivals(stages, true, 1)) == times_of(arrivals(stages, true, 1)));
        CHECK(times_of(arrivals(stages, true, 1)) != times_of(arrivals(stages, true, 2)));
        CHECK(times_of(arrivals(stages, true, 1, 0, 2)) != times_of(arrivals(stages, true, 1, 1, 2)));
    }

    TEST_CASE("the level of a closed loop moves evenly and stays at the end") {
        const std::vector<load_stage> stages{{0, 100, 10s}, {50, 50, 5s}};
        CHECK(level_at(stages, 0s) == doctest::Approx(0));
        CHECK(level_at(stages, 5s) == doctest::Approx(50));
        CHECK(level_at(stages, 12s) == doctest::Approx(50));
        CHECK(level_at(stages, 1h) == doctest::Approx(50));
        CHECK(level_at({}, 1s) == doctest::Approx(0));
    }
}
