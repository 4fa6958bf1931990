#pragma once

#include <boost/json/object.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace concurred::bench {

/// A ratio and the interval that holds it with the given confidence.
struct ratio_interval {
    double ratio = 1;
    double low = 1;
    double high = 1;
};

[[nodiscard]] double median_of(std::vector<double> values);

/// Median of `b` over median of `a`, with a percentile-bootstrap interval; repeatable. Neither may be empty, and the
/// median of `a` must not be 0. \param confidence e.g. 0.95
[[nodiscard]] ratio_interval bootstrap_ratio(std::span<const double> a, std::span<const double> b, double confidence,
                                             std::uint64_t seed = 1);

/// One figure of two sides.
struct compared_figure {
    std::string name;
    bool less_is_better = true;
    std::vector<double> a;
    std::vector<double> b;
    ratio_interval ratio;  ///< b over a
    enum class verdict { same, better, worse, unsure } what = verdict::unsure;
};

/// What the interval says when a change by `tolerance` (0.05 = 5 %) does not matter. `same`: it lies within the
/// tolerance.
[[nodiscard]] compared_figure::verdict judge_ratio(const ratio_interval& ratio, bool less_is_better, double tolerance);

/// The figures that both sides have. With one report a side, the samples are its measured windows; with several, a
/// figure of each whole report.
[[nodiscard]] std::vector<compared_figure> compare_reports(std::span<const boost::json::object> a,
                                                           std::span<const boost::json::object> b, double tolerance);

struct compare_options {
    std::string a;  ///< report, or several with commas between
    std::string b;
    double tolerance = 5;  ///< percent
    bool json = false;
};

/// Compares reports and prints a table. \returns 0: nothing is worse; 1: something is; 69: a report cannot be read, is
/// of an invalid run or of another scenario
int run_compare(const compare_options& options);

}  // namespace concurred::bench
