#include "bench/report_compare.hpp"

#include "bench/arrivals.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>

namespace concurred::bench {
namespace {

namespace json = boost::json;

constexpr int resamples = 4000;
constexpr double confidence = 0.95;

/// Where a figure is found: in one window, and in a whole report.
struct figure_place {
    std::string_view name;
    bool less_is_better;
    std::optional<double> (*of_window)(const json::object& window);
    std::optional<double> (*of_report)(const json::object& report);
};

double number(const json::value& value) {
    return value.to_number<double>();
}

std::optional<double> percentile(const json::value& histogram, std::string_view which) {
    return number(histogram.at("count")) > 0 ? std::optional(number(histogram.at(which))) : std::nullopt;
}

std::optional<double> use(const json::object& report, std::string_view which) {
    const json::value& target = report.at("target");
    return target.is_object() && target.at(which).is_number() ? std::optional(number(target.at(which))) : std::nullopt;
}

std::optional<double> cpu_per_request(const json::object& w) {
    const double done = number(w.at("succeeded")) + number(w.at("failed"));
    const json::value* cpu = w.if_contains("cpu_s");
    return cpu == nullptr || done == 0 ? std::nullopt : std::optional(number(*cpu) * 1e6 / done);
}

constexpr std::array places{
    figure_place{"CPU per request, us", true, cpu_per_request,
                 [](const json::object& r) { return use(r, "cpu_us_per_request"); }},
    figure_place{"whole answer p50, us", true, [](const json::object& w) { return percentile(w.at("total"), "p50"); },
                 [](const json::object& r) { return percentile(r.at("totals").at("total"), "p50"); }},
    figure_place{"whole answer p99, us", true, [](const json::object& w) { return percentile(w.at("total"), "p99"); },
                 [](const json::object& r) { return percentile(r.at("totals").at("total"), "p99"); }},
    figure_place{"delay of a chunk p50, us", true,
                 [](const json::object& w) { return percentile(w.at("delay"), "p50"); },
                 [](const json::object& r) { return percentile(r.at("totals").at("delay"), "p50"); }},
    figure_place{"delay of a chunk p99, us", true,
                 [](const json::object& w) { return percentile(w.at("delay"), "p99"); },
                 [](const json::object& r) { return percentile(r.at("totals").at("delay"), "p99"); }},
    figure_place{
        "requests per second", false,
        [](const json::object& w) { return std::optional(number(w.at("succeeded")) / number(w.at("seconds"))); },
        [](const json::object& r) { return std::optional(number(r.at("rates").at("requests_per_s"))); }},
    figure_place{"resident memory, bytes", true,
                 [](const json::object& w) {
                     const json::value* rss = w.if_contains("rss_bytes");
                     return rss == nullptr ? std::nullopt : std::optional(number(*rss));
                 },
                 [](const json::object& r) { return use(r, "rss_bytes_peak"); }},
};

std::vector<double> samples(const figure_place& place, std::span<const json::object> reports, bool windows) {
    std::vector<double> found;
    for (const json::object& report : reports) {
        if (!windows) {
            if (const auto value = place.of_report(report)) {
                found.push_back(*value);
            }
            continue;
        }
        for (const json::value& w : report.at("windows").as_array()) {
            const auto value = w.at("measured").as_bool() ? place.of_window(w.as_object()) : std::nullopt;
            if (value) {
                found.push_back(*value);
            }
        }
    }
    return found;
}

double resampled_median(std::span<const double> from, repeatable_random& random, std::vector<double>& scratch) {
    scratch.clear();
    for (std::size_t i = 0; i < from.size(); ++i) {
        scratch.push_back(from[random.below(from.size())]);
    }
    return median_of(scratch);
}

}  // namespace

double median_of(std::vector<double> values) {
    const std::size_t middle = values.size() / 2;
    std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(middle));
    const double upper = values[middle];
    if (values.size() % 2 == 1) {
        return upper;
    }
    return (upper + *std::max_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(middle))) / 2;
}

ratio_interval bootstrap_ratio(std::span<const double> a, std::span<const double> b, double level, std::uint64_t seed) {
    repeatable_random random(seed);
    std::vector<double> scratch;
    std::vector<double> ratios;
    for (int i = 0; i < resamples; ++i) {
        const double below = resampled_median(a, random, scratch);
        const double above = resampled_median(b, random, scratch);
        if (below > 0) {
            ratios.push_back(above / below);
        }
    }
    std::ranges::sort(ratios);
    const double ratio = median_of({b.begin(), b.end()}) / median_of({a.begin(), a.end()});
    if (ratios.empty()) {
        return {ratio, ratio, ratio};
    }
    const auto at = [&ratios](double share) {
        return ratios[static_cast<std::size_t>(std::lround(share * static_cast<double>(ratios.size() - 1)))];
    };
    return {ratio, at((1 - level) / 2), at((1 + level) / 2)};
}

compared_figure::verdict judge_ratio(const ratio_interval& ratio, bool less_is_better, double tolerance) {
    using verdict = compared_figure::verdict;
    const double most = 1 + tolerance;
    const double least = 1 / most;
    if (ratio.low > most) {
        return less_is_better ? verdict::worse : verdict::better;
    }
    if (ratio.high < least) {
        return less_is_better ? verdict::better : verdict::worse;
    }
    return ratio.low >= least && ratio.high <= most ? verdict::same : verdict::unsure;
}

std::vector<compared_figure> compare_reports(std::span<const json::object> a, std::span<const json::object> b,
                                             double tolerance) {
    const bool windows = a.size() == 1 && b.size() == 1;
    std::vector<compared_figure> figures;
    for (const figure_place& place : places) {
        compared_figure figure;
        figure.name = place.name;
        figure.less_is_better = place.less_is_better;
        figure.a = samples(place, a, windows);
        figure.b = samples(place, b, windows);
        if (figure.a.empty() || figure.b.empty() || median_of(figure.a) == 0) {
            continue;
        }
        figure.ratio = bootstrap_ratio(figure.a, figure.b, confidence);
        figure.what = judge_ratio(figure.ratio, figure.less_is_better, tolerance);
        figures.push_back(std::move(figure));
    }
    return figures;
}

}  // namespace concurred::bench
