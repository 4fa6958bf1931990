#include "bench/report_html.hpp"

#include "bench/report_text.hpp"
#include "bench/svg_plot.hpp"

#include <fmt/format.h>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <functional>

namespace concurred::bench {
namespace {

namespace json = boost::json;

constexpr std::string_view page_head = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>Bench report</title><style>
:root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--dim:#5c6570;--line:#d9dee4;--card:#f5f7f9;--good:#1a7f37;--bad:#b3261e;
--c0:#0b63ce;--c1:#c2410c;--c2:#15803d;--c3:#7e22ce;--c4:#a16207;--c5:#be185d}
@media(prefers-color-scheme:dark){:root{--bg:#12161b;--fg:#e6eaef;--dim:#9aa5b1;--line:#2d353e;--card:#1a2027;--good:#4ac26b;--bad:#ff8a80;
--c0:#6cb2ff;--c1:#ff9d66;--c2:#5fd38a;--c3:#c79bff;--c4:#e3b341;--c5:#ff85b3}}
*{box-sizing:border-box}body{margin:0 auto;max-width:72rem;padding:1rem;background:var(--bg);color:var(--fg);font:15px/1.45 system-ui,sans-serif}
h1{font-size:1.4rem;margin:.2rem 0}h2{font-size:1.1rem;margin:1.6rem 0 .5rem}p{margin:.3rem 0}.dim{color:var(--dim)}
.good{color:var(--good);font-weight:600}.bad{color:var(--bad);font-weight:600}
.grid{display:grid;gap:1rem;grid-template-columns:repeat(auto-fit,minmax(min(100%,22rem),1fr))}
.tiles{display:grid;gap:.6rem;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr))}
.tiles div,figure{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:.6rem .8rem;margin:0}
.tiles b{display:block;font-size:1.25rem}figcaption{font-weight:600}svg{display:block;width:100%;height:auto}
svg text{fill:var(--dim);font-size:11px}.g{stroke:var(--line);fill:none}.l{fill:none;stroke-width:2;stroke-linejoin:round}
.l.s0{stroke:var(--c0)}.l.s1{stroke:var(--c1)}.l.s2{stroke:var(--c2)}.l.s3{stroke:var(--c3)}.l.s4{stroke:var(--c4)}.l.s5{stroke:var(--c5)}
.key span{margin-right:.9rem;white-space:nowrap}.key span::before{content:"";display:inline-block;width:.8em;height:.25em;margin-right:.35em;vertical-align:middle;background:currentColor}
.key .s0{color:var(--c0)}.key .s1{color:var(--c1)}.key .s2{color:var(--c2)}.key .s3{color:var(--c3)}.key .s4{color:var(--c4)}.key .s5{color:var(--c5)}
.wide{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}th,td{padding:.3rem .7rem;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}
th:first-child,td:first-child{text-align:left}dl{display:grid;grid-template-columns:minmax(5.5rem,max-content) minmax(0,1fr);gap:.2rem 1rem;margin:0}dt{color:var(--dim)}dd{margin:0;overflow-wrap:anywhere}
</style></head><body>
)";

constexpr std::string_view formulas = R"(<h2>What is meant</h2><dl>
<dt>whole</dt><dd>end of the answer − planned start (open loop: also when the start was late)</dd>
<dt>from sending</dt><dd>end of the answer − moment the request was written</dd>
<dt>first content</dt><dd>first event with text − planned start</dd>
<dt>between contents</dt><dd>event with text − the one before, of one stream</dd>
<dt>delay of a chunk</dt><dd>arrival here − time that the provider wrote into the chunk's text when it sent it: what lies between, measured, not subtracted</dd>
<dt>lateness</dt><dd>moment the generator turned to a start − planned start; a run with more than is allowed is invalid</dd>
<dt>CPU per request</dt><dd>user and system time of the target's processes in the measured time ÷ answers that ended in it</dd></dl>
)";

double number(const json::value& value) {
    return value.is_number() ? value.to_number<double>() : 0;
}

/// A value of the run card. Stages are read as "200 for 23 s, 200 to 10 for 5 s".
std::string plain(const json::value& value) {
    if (const auto* stages = value.if_array()) {
        std::string text;
        for (const json::value& stage : *stages) {
            const double from = number(stage.at("from"));
            const double to = number(stage.at("to"));
            text += fmt::format("{}{:g}{} for {:g} s", text.empty() ? "" : ", ", from,
                                from == to ? "" : fmt::format(" to {:g}", to), number(stage.at("seconds")));
        }
        return text;
    }
    return value.is_string()   ? std::string(value.as_string())
           : value.is_double() ? fmt::format("{:g}", value.as_double())
                               : json::serialize(value);
}

plot_series curve_of(const json::value& histogram, std::string name) {
    plot_series line{std::move(name), {}};
    if (const auto* curve = histogram.as_object().if_contains("curve")) {
        for (const json::value& point : curve->as_array()) {
            line.points.emplace_back(number(point.at(0)), number(point.at(1)));
        }
    }
    return line;
}

plot curves(std::string title, std::initializer_list<std::pair<const json::value*, const char*>> what) {
    plot drawn{std::move(title), "percentile", plot_axis::percentiles, plot_axis::times, {}};
    for (const auto& [histogram, name] : what) {
        if (plot_series line = curve_of(*histogram, name); !line.points.empty()) {
            drawn.series.push_back(std::move(line));
        }
    }
    return drawn;
}

using window_value = std::function<double(const json::object&)>;

plot over_time(const json::object& report, std::string title, plot_axis y,
               std::initializer_list<std::pair<const char*, window_value>> what) {
    plot drawn{std::move(title), "seconds", plot_axis::even, y, {}};
    for (const auto& [name, value] : what) {
        plot_series line{name, {}};
        for (const json::value& w : report.at("windows").as_array()) {
            const double y_value = value(w.as_object());
            if (y_value >= 0) {
                line.points.emplace_back(number(w.at("at_s")) + number(w.at("seconds")), y_value);
            }
        }
        if (!line.points.empty()) {
            drawn.series.push_back(std::move(line));
        }
    }
    return drawn;
}

window_value rate(const char* member) {
    return [member](const json::object& w) { return number(w.at(member)) / number(w.at("seconds")); };
}

/// Below 0: nothing was measured in the window.
window_value percentile(const char* histogram, const char* which) {
    return [histogram, which](const json::object& w) {
        const json::value& h = w.at(histogram);
        return number(h.at("count")) > 0 ? number(h.at(which)) : -1;
    };
}

window_value use(const char* member, double factor, const char* per) {
    return [=](const json::object& w) {
        const json::value* value = w.if_contains(member);
        return value == nullptr ? -1 : number(*value) * factor / (per == nullptr ? 1 : number(w.at(per)));
    };
}

double cpu_of_thousand(const json::object& w) {
    const json::value* cpu = w.if_contains("cpu_s");
    const double done = number(w.at("succeeded")) + number(w.at("failed"));
    return cpu == nullptr || done == 0 ? -1 : number(*cpu) * 1000 / done;
}

void add_verdict(std::string& out, const json::object& verdict) {
    const bool valid = verdict.at("valid").as_bool();
    const bool passed = verdict.at("passed").as_bool();
    out += fmt::format(R"(<p class="{}">{}</p>)", valid && passed ? "good" : "bad",
                       !valid   ? "Invalid: the figures say nothing about the target"
                       : passed ? "Passed"
                                : "Failed");
    for (const char* list : {"invalid_because", "failures"}) {
        for (const json::value& text : verdict.at(list).as_array()) {
            out += "<p>" + html_text(text.as_string()) + "</p>";
        }
    }
    out += "\n";
}

void add_tile(std::string& out, std::string_view label, const std::string& value) {
    out += fmt::format(R"(<div><b>{}</b>{}</div>)", html_text(value), label);
}

void add_tiles(std::string& out, const json::object& report) {
    const json::value& totals = report.at("totals");
    out += R"(<div class="tiles">)";
    add_tile(out, "requests per second", fmt::format("{:.0f}", number(report.at("rates").at("requests_per_s"))));
    add_tile(out, "whole, p50", time_text(number(totals.at("total").at("p50"))));
    add_tile(out, "whole, p99", time_text(number(totals.at("total").at("p99"))));
    if (number(totals.at("first").at("count")) > 0) {
        add_tile(out, "first content, p99", time_text(number(totals.at("first").at("p99"))));
    }
    if (number(totals.at("delay").at("count")) > 0) {
        add_tile(out, "delay of a chunk, p99", time_text(number(totals.at("delay").at("p99"))));
        add_tile(
            out, "frames lost, twice, out of order",
            fmt::format("{:.0f}, {:.0f}, {:.0f}", number(totals.at("frames").at("lost")),
                        number(totals.at("frames").at("duplicated")), number(totals.at("frames").at("reordered"))));
    }
    if (const json::value& target = report.at("target"); target.is_object()) {
        add_tile(out, "CPU s per 1,000 requests", fmt::format("{:.3f}", number(target.at("cpu_s_per_1000_requests"))));
        add_tile(out, "resident memory, peak",
                 fmt::format("{:.1f} MiB", number(target.at("rss_bytes_peak")) / 1048576));
    }
    out += "</div>\n";
}

void add_plots(std::string& out, const json::object& report) {
    const json::value& totals = report.at("totals");
    out += "<h2>Times by percentile</h2><div class=\"grid\">";
    out += curves("Answers", {{&totals.at("total"), "whole, from plan"},
                              {&totals.at("service"), "whole, from sending"},
                              {&totals.at("first"), "first content"}})
               .html();
    out += curves("Chunks of streams",
                  {{&totals.at("delay"), "delay of a chunk"}, {&totals.at("gap"), "between contents"}})
               .html();
    out += "</div><h2>Over time</h2><div class=\"grid\">";
    out += over_time(report, "Requests per second", plot_axis::even,
                     {{"planned", rate("planned")}, {"succeeded", rate("succeeded")}, {"failed", rate("failed")}})
               .html();
    out += over_time(report, "Whole answer", plot_axis::times,
                     {{"p50", percentile("total", "p50")}, {"p99", percentile("total", "p99")}})
               .html();
    out += over_time(report, "Delay of a chunk", plot_axis::times,
                     {{"p50", percentile("delay", "p50")}, {"p99", percentile("delay", "p99")}})
               .html();
    out += over_time(report, "CPU seconds of 1,000 requests", plot_axis::even, {{"target", cpu_of_thousand}}).html();
    out += over_time(report, "Cores in use", plot_axis::even,
                     {{"target", use("cpu_s", 1, "seconds")}, {"generator", use("generator_cpu_s", 1, "seconds")}})
               .html();
    out += over_time(report, "Resident memory, MiB", plot_axis::even,
                     {{"target", use("rss_bytes", 1.0 / 1048576, nullptr)}})
               .html();
    out += "</div>\n";
}

void add_kinds(std::string& out, const json::object& report) {
    out +=
        "<h2>What became of the requests</h2><div class=\"wide\"><table><tr><th>kind</th><th>requests</th>"
        "<th>succeeded</th><th>p50</th><th>p99</th><th>first, p99</th><th>chunk, p99</th><th>otherwise</th></tr>";
    for (const json::value& kind : report.at("kinds").as_array()) {
        std::string other;
        for (const auto& [name, count] : kind.at("outcomes").as_object()) {
            if (name != "succeeded" && number(count) > 0) {
                other += fmt::format("{} {:.0f} ", std::string_view(name), number(count));
            }
        }
        for (const auto& [status, count] : kind.at("statuses").as_object()) {
            other += fmt::format("[{}: {:.0f}] ", std::string_view(status), number(count));
        }
        const auto time = [&kind](const char* which, const char* percent) {
            const json::value& h = kind.at(which);
            return number(h.at("count")) > 0 ? time_text(number(h.at(percent))) : std::string("–");
        };
        out += fmt::format(
            "<tr><td>{}</td><td>{:.0f}</td><td>{:.0f}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            html_text(kind.at("name").as_string()), number(kind.at("requests")),
            number(kind.at("outcomes").at("succeeded")), time("total", "p50"), time("total", "p99"),
            time("first", "p99"), time("delay", "p99"), html_text(other));
    }
    out += "</table></div>\n";
}

void add_card(std::string& out, const json::object& report) {
    out += "<h2>Run card</h2><dl>";
    for (const char* part : {"run", "machine"}) {
        for (const auto& [name, value] : report.at(part).as_object()) {
            out += "<dt>" + html_text(name) + "</dt><dd>" + html_text(plain(value)) + "</dd>";
        }
    }
    const json::value& lateness = report.at("generator").at("lateness");
    out += fmt::format("<dt>lateness, p99</dt><dd>{}</dd>", time_text(number(lateness.at("p99"))));
    if (const json::value& ledger = report.at("ledger"); ledger.is_object()) {
        for (const auto& [name, value] : ledger.as_object()) {
            if (value.is_number()) {
                out += "<dt>provider: " + html_text(name) + "</dt><dd>" + plain(value) + "</dd>";
            }
        }
    }
    out += "</dl>\n";
}

}  // namespace

std::string report_html(const json::object& report) {
    const json::object& run = report.at("run").as_object();
    std::string out(page_head);
    out += "<h1>" + html_text(run.at("scenario").as_string()) + "</h1><p class=\"dim\">" +
           html_text(run.at("about").as_string()) + " · " + html_text(run.at("began").as_string()) + "</p>\n";
    add_verdict(out, report.at("verdict").as_object());
    add_tiles(out, report);
    add_plots(out, report);
    add_kinds(out, report);
    add_card(out, report);
    return out.append(formulas).append("</body></html>\n");
}

}  // namespace concurred::bench
