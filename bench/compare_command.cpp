#include "bench/report_compare.hpp"
#include "bench/report_file.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <iostream>
#include <optional>

namespace concurred::bench {
namespace {

namespace json = boost::json;

constexpr int exit_failure = 1;
constexpr int exit_unavailable = 69;

/// The reports of one side; nothing, with a complaint, if one is not fit to be compared.
std::optional<std::vector<json::object>> read_side(const std::string& names, std::string& complaint) {
    std::vector<json::object> reports;
    for (std::size_t from = 0; from <= names.size();) {
        const std::size_t end = std::min(names.find(',', from), names.size());
        auto report = read_report(names.substr(from, end - from), complaint);
        if (!report) {
            return std::nullopt;
        }
        if (!report->at("verdict").at("valid").as_bool()) {
            complaint = names.substr(from, end - from) + ": is of an invalid run";
            return std::nullopt;
        }
        reports.push_back(std::move(*report));
        from = end + 1;
    }
    return reports;
}

std::string_view word_for(compared_figure::verdict what) {
    switch (what) {
        case compared_figure::verdict::same:
            return "same";
        case compared_figure::verdict::better:
            return "better";
        case compared_figure::verdict::worse:
            return "WORSE";
        case compared_figure::verdict::unsure:
            break;
    }
    return "unsure";
}

std::string as_json(const std::vector<compared_figure>& figures) {
    json::array out;
    for (const compared_figure& f : figures) {
        out.push_back(json::object{{"figure", f.name},
                                   {"a", median_of(f.a)},
                                   {"b", median_of(f.b)},
                                   {"samples_a", f.a.size()},
                                   {"samples_b", f.b.size()},
                                   {"ratio", f.ratio.ratio},
                                   {"low", f.ratio.low},
                                   {"high", f.ratio.high},
                                   {"verdict", word_for(f.what)}});
    }
    return json::serialize(out) + "\n";
}

std::string as_table(const std::vector<compared_figure>& figures) {
    std::string out =
        fmt::format("{:<26}{:>12}{:>12}{:>8}{:>18}  {}\n", "median of", "A", "B", "B/A", "95 % interval", "");
    for (const compared_figure& f : figures) {
        out += fmt::format("{:<26}{:>12.6g}{:>12.6g}{:>8.3f}{:>18}  {}\n", f.name, median_of(f.a), median_of(f.b),
                           f.ratio.ratio, fmt::format("{:.3f} - {:.3f}", f.ratio.low, f.ratio.high), word_for(f.what));
    }
    return out;
}

}  // namespace

int run_compare(const compare_options& options) {
    std::string complaint;
    const auto a = read_side(options.a, complaint);
    const auto b = a ? read_side(options.b, complaint) : std::nullopt;
    if (a && b) {
        for (const auto* side : {&*a, &*b}) {
            for (const json::object& report : *side) {
                if (report.at("run").at("scenario") != a->front().at("run").at("scenario")) {
                    complaint = "the reports are of different scenarios";
                }
            }
        }
    }
    if (!complaint.empty()) {
        std::cerr << "bench: " << complaint << '\n';
        return exit_unavailable;
    }
    const auto figures = compare_reports(*a, *b, options.tolerance / 100);
    std::cout << (options.json ? as_json(figures) : as_table(figures));
    const bool worse =
        std::ranges::any_of(figures, [](const auto& f) { return f.what == compared_figure::verdict::worse; });
    return worse ? exit_failure : 0;
}

}  // namespace concurred::bench
