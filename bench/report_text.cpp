#include "bench/report_text.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>

namespace concurred::bench {
namespace {

namespace json = boost::json;

double number(const json::value& value) {
    return value.to_number<double>();
}

void add_times(std::string& out, std::string_view label, const json::value& histogram) {
    if (number(histogram.at("count")) > 0) {
        out += fmt::format("  {:<24}p50 {:>10}  p90 {:>10}  p99 {:>10}  p99.9 {:>10}  max {:>10}\n", label,
                           time_text(number(histogram.at("p50"))), time_text(number(histogram.at("p90"))),
                           time_text(number(histogram.at("p99"))), time_text(number(histogram.at("p99_9"))),
                           time_text(number(histogram.at("max"))));
    }
}

void add_outcomes(std::string& out, const json::object& figures) {
    out += fmt::format("  {:<24}{}", "requests", figures.at("requests").to_number<std::uint64_t>());
    for (const auto& [name, count] : figures.at("outcomes").as_object()) {
        if (number(count) > 0) {
            out += fmt::format(", {} {}", count.to_number<std::uint64_t>(), std::string_view(name));
        }
    }
    out += "\n";
}

void add_verdict(std::string& out, const json::object& verdict) {
    for (const json::value& text : verdict.at("invalid_because").as_array()) {
        out += "INVALID: " + std::string(text.as_string()) + "\n";
    }
    for (const json::value& text : verdict.at("failures").as_array()) {
        out += "FAILED: " + std::string(text.as_string()) + "\n";
    }
    if (verdict.at("valid").as_bool() && verdict.at("passed").as_bool()) {
        out += "passed\n";
    }
}

}  // namespace

std::string time_text(double us) {
    return us < 1'000       ? fmt::format("{:.0f} us", us)
           : us < 1'000'000 ? fmt::format("{:.3g} ms", us / 1'000)
                            : fmt::format("{:.3g} s", us / 1'000'000);
}

std::string report_text(const json::object& report) {
    const json::object& totals = report.at("totals").as_object();
    const json::value& rates = report.at("rates");
    std::string out = std::string(report.at("run").at("scenario").as_string()) + "\n";
    add_outcomes(out, totals);
    out += fmt::format("  {:<24}{:.0f} requests/s, {:.0f} events/s\n", "rates", number(rates.at("requests_per_s")),
                       number(rates.at("events_per_s")));
    add_times(out, "whole", totals.at("total"));
    add_times(out, "whole, from sending", totals.at("service"));
    add_times(out, "first content", totals.at("first"));
    add_times(out, "between contents", totals.at("gap"));
    add_times(out, "delay of a chunk", totals.at("delay"));
    const json::value& frames = totals.at("frames");
    if (number(totals.at("delay").at("count")) > 0) {
        out += fmt::format("  {:<24}{} lost, {} twice there, {} out of order\n", "frames",
                           frames.at("lost").to_number<std::uint64_t>(),
                           frames.at("duplicated").to_number<std::uint64_t>(),
                           frames.at("reordered").to_number<std::uint64_t>());
    }
    if (const json::value& use = report.at("target"); use.is_object() && !use.at("cpu_us_per_request").is_null()) {
        out += fmt::format("  {:<24}{:.1f} us CPU per request", "target", number(use.at("cpu_us_per_request")));
        if (!use.at("cpu_us_per_event").is_null()) {
            out += fmt::format(", {:.1f} us per event", number(use.at("cpu_us_per_event")));
        }
        out += "\n";
    }
    if (const json::value& use = report.at("target"); use.is_object()) {
        out += fmt::format("  {:<24}{:.1f} MiB resident before, {:.1f} MiB at most\n", "memory",
                           number(use.at("rss_bytes_begin")) / 1'048'576, number(use.at("rss_bytes_peak")) / 1'048'576);
    }
    if (report.at("run").at("mode").as_string() == "open") {
        add_times(out, "lateness of starts", report.at("generator").at("lateness"));
    }
    add_verdict(out, report.at("verdict").as_object());
    return out;
}

}  // namespace concurred::bench
