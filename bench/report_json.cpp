#include "bench/report_json.hpp"

#include "bench/machine_card.hpp"
#include "gateway/base/utc_text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <cmath>

namespace concurred::bench {
namespace {

namespace json = boost::json;

double seconds(std::chrono::nanoseconds time) noexcept {
    return std::chrono::duration<double>(time).count();
}

json::object histogram_of(const hdr_histogram& h, bool whole) {
    json::object out{{"count", h.count()},          {"min", h.min()},          {"mean", h.mean()},
                     {"p50", h.percentile(50)},     {"p90", h.percentile(90)}, {"p99", h.percentile(99)},
                     {"p99_9", h.percentile(99.9)}, {"max", h.max()}};
    if (whole) {
        // Half of what is left, in four steps each: even on an axis of nines.
        json::array curve;
        double left = 100;
        for (int i = 0; i < 80 && h.count() > 0; ++i) {
            curve.push_back(json::array{100 - left, h.percentile(100 - left)});
            if (left / 100 * static_cast<double>(h.count()) < 1) {
                break;
            }
            left *= 0.8409;
        }
        out["curve"] = std::move(curve);
        out["hdr"] = h.encoded();
    }
    return out;
}

json::object figures_of(const kind_figures& figures) {
    json::object ended;
    for (std::size_t i = 0; i < outcomes; ++i) {
        ended[name_of(static_cast<outcome>(i))] = figures.ended[i];
    }
    json::object statuses;
    for (const auto& [status, times] : figures.statuses) {
        statuses[std::to_string(status)] = times;
    }
    return {{"requests", figures.all()},
            {"outcomes", std::move(ended)},
            {"statuses", std::move(statuses)},
            {"events", figures.events},
            {"bytes", figures.bytes},
            {"frames", {{"lost", figures.lost}, {"duplicated", figures.duplicated}, {"reordered", figures.reordered}}},
            {"total", histogram_of(figures.total, true)},
            {"service", histogram_of(figures.service, true)},
            {"first", histogram_of(figures.first, true)},
            {"gap", histogram_of(figures.gap, true)},
            {"delay", histogram_of(figures.delay, true)}};
}

json::array windows_of(const report_input& in) {
    const auto& windows = in.result.figures.windows();
    const auto& readings = in.result.readings;
    json::array out;
    // The last window is what came after the end; it has no reading.
    for (std::size_t i = 0; i + 1 < windows.size() && i + 1 < readings.size(); ++i) {
        const window_figures& w = windows[i];
        const load_reading& from = readings[i];
        const load_reading& to = readings[i + 1];
        json::object one{{"at_s", seconds(from.at)},
                         {"seconds", seconds(to.at - from.at)},
                         {"measured", in.window * static_cast<long>(i) >= in.plan.warmup},
                         {"planned", w.planned},
                         {"succeeded", w.succeeded},
                         {"failed", w.failed},
                         {"events", w.events},
                         {"total", histogram_of(w.total, false)},
                         {"delay", histogram_of(w.delay, false)},
                         {"generator_cpu_s", seconds(to.own_cpu - from.own_cpu)}};
        if (from.target && to.target) {
            one["cpu_s"] = seconds(to.target->cpu - from.target->cpu);
            one["rss_bytes"] = to.target->rss_bytes;
        }
        out.push_back(std::move(one));
    }
    return out;
}

/// What the target used in the measured windows, in relation to what it did there.
json::value use_of(const report_input& in, const json::array& windows) {
    double cpu = 0;
    double done = 0;
    double events = 0;
    double time = 0;
    std::uint64_t peak = 0;
    bool any = false;
    for (const json::value& w : windows) {
        if (const auto* rss = w.at("measured").as_bool() ? w.as_object().if_contains("rss_bytes") : nullptr) {
            any = true;
            peak = std::max(peak, rss->to_number<std::uint64_t>());
            cpu += w.at("cpu_s").as_double();
            time += w.at("seconds").as_double();
            done += w.at("succeeded").to_number<double>() + w.at("failed").to_number<double>();
            events += w.at("events").to_number<double>();
        }
    }
    if (!any) {
        return nullptr;
    }
    const auto per = [cpu](double count) { return count == 0 ? json::value(nullptr) : json::value(cpu * 1e6 / count); };
    return json::object{{"cpu_us_per_request", per(done)},
                        {"cpu_us_per_event", per(events)},
                        {"cpu_s_per_1000_requests", done == 0 ? json::value(nullptr) : json::value(cpu * 1000 / done)},
                        {"cores", cpu / time},
                        {"rss_bytes_begin", in.result.before ? in.result.before->rss_bytes : 0},
                        {"rss_bytes_peak", peak},
                        {"rss_growth_per_hour", growth_per_hour(in.result.readings, in.plan.warmup)}};
}

json::object run_of(const report_input& in) {
    const scenario& plan = in.plan;
    json::array stages;
    for (const load_stage& stage : plan.stages) {
        stages.push_back(json::object{{"from", stage.from}, {"to", stage.to}, {"seconds", seconds(stage.length)}});
    }
    return {{"scenario", plan.name},
            {"about", plan.about},
            {"began", base::utc_timestamp(in.result.began)},
            {"target", in.target},
            {"mode", plan.mode == load_mode::open ? "open" : "closed"},
            {"arrivals", plan.mode == load_mode::closed ? "as answers come"
                         : plan.poisson                 ? "poisson"
                                                        : "constant"},
            {"stages", std::move(stages)},
            {"seconds", seconds(plan.length())},
            {"warmup_s", seconds(plan.warmup)},
            {"connections", plan.connections},
            {"idle_connections", plan.idle_connections},
            {"threads", plan.threads},
            {"seed", plan.seed}};
}

json::array texts(const std::vector<std::string>& from) {
    return json::array(from.begin(), from.end());
}

}  // namespace

double growth_per_hour(const std::vector<load_reading>& readings, std::chrono::nanoseconds measured_from) {
    double count = 0;
    double sum_x = 0;
    double sum_y = 0;
    double sum_xx = 0;
    double sum_xy = 0;
    for (const load_reading& reading : readings) {
        if (reading.target && reading.at >= measured_from) {
            const double x = seconds(reading.at) / 3600;
            const auto y = static_cast<double>(reading.target->rss_bytes);
            count += 1;
            sum_x += x;
            sum_y += y;
            sum_xx += x * x;
            sum_xy += x * y;
        }
    }
    const double spread = count * sum_xx - sum_x * sum_x;
    return count < 2 || spread == 0 ? 0 : (count * sum_xy - sum_x * sum_y) / spread;
}

std::vector<std::string> invalid_because(const scenario& plan, const load_result& result) {
    std::vector<std::string> why;
    const auto late = std::chrono::microseconds{result.figures.lateness().percentile(99)};
    if (late > plan.lateness) {
        why.push_back("the load generator was late: 1 % of the starts by " + std::to_string(late.count()) +
                      " us or more, " + std::to_string(plan.lateness.count()) + " ms are allowed");
    }
    if (result.figures.starved() * 100 > result.figures.lateness().count()) {
        why.push_back("more than 1 % of the starts found all " + std::to_string(plan.connections) +
                      " connections in use");
    }
    if (result.interrupted) {
        why.emplace_back("a signal ended it");
    }
    if (!result.fault.empty()) {
        why.push_back("the load generator failed: " + result.fault);
    }
    return why;
}

std::vector<std::string> broken_expectations(const report_input& in) {
    std::vector<std::string> broken;
    const kind_figures all = in.result.figures.all();
    const std::uint64_t under_way = in.plan.expect.unfinished ? all.at(outcome::unfinished) : 0;
    const std::uint64_t fine = all.at(outcome::succeeded) + all.at(outcome::left) + under_way;
    const auto good = static_cast<double>(fine);
    const auto judged = static_cast<double>(all.all());
    if (judged == 0 && !in.plan.kinds.empty()) {
        broken.emplace_back("no request was made");
    } else if (good < in.plan.expect.succeeded * judged) {
        broken.push_back("only " + std::to_string(fine) + " of " + std::to_string(all.all()) + " requests succeeded");
    }
    if (in.plan.expect.frames && all.lost + all.duplicated + all.reordered != 0) {
        broken.push_back("frames of streams: " + std::to_string(all.lost) + " lost, " + std::to_string(all.duplicated) +
                         " twice there, " + std::to_string(all.reordered) + " out of order");
    }
    for (const load_reading& reading : in.result.readings) {
        if (in.plan.expect.rss > 0 && reading.target && reading.target->rss_bytes > in.plan.expect.rss) {
            broken.push_back("resident memory reached " + std::to_string(reading.target->rss_bytes >> 20) + " MiB");
            break;
        }
    }
    const double growth = growth_per_hour(in.result.readings, in.plan.warmup);
    if (in.plan.expect.growth_per_hour > 0 && growth > static_cast<double>(in.plan.expect.growth_per_hour)) {
        broken.push_back("resident memory grew by " + std::to_string(std::lround(growth / 1024)) + " KiB an hour");
    }
    if (in.plan.expect.survives && !in.gateway_ran) {
        broken.emplace_back("the gateway ended before the load did");
    } else if (in.plan.expect.survives && in.gateway_exit.value_or(0) != 0) {
        broken.push_back("the gateway ended with exit code " + std::to_string(*in.gateway_exit));
    }
    return broken;
}

json::object make_report(const report_input& in) {
    const load_figures& figures = in.result.figures;
    json::array kinds;
    for (std::size_t i = 0; i < in.plan.kinds.size(); ++i) {
        json::object kind = figures_of(figures.kinds()[i]);
        kind["name"] = in.plan.kinds[i].name;
        kinds.push_back(std::move(kind));
    }
    const kind_figures all = figures.all();
    const double measured = seconds(in.plan.length() - in.plan.warmup);
    const auto invalid = invalid_because(in.plan, in.result);
    const auto broken = broken_expectations(in);
    json::array windows = windows_of(in);
    json::value use = use_of(in, windows);
    double events = 0;
    double done = 0;
    for (const json::value& w : windows) {
        if (w.at("measured").as_bool()) {
            events += w.at("events").to_number<double>();
            done += w.at("succeeded").to_number<double>();
        }
    }
    boost::system::error_code failure;
    json::value ledger = in.ledger ? json::parse(*in.ledger, failure) : json::value(nullptr);
    return {{"schema", report_schema},
            {"run", run_of(in)},
            {"machine", machine_card()},
            {"verdict",
             {{"valid", invalid.empty()},
              {"invalid_because", texts(invalid)},
              {"passed", broken.empty()},
              {"failures", texts(broken)}}},
            {"rates", {{"requests_per_s", done / measured}, {"events_per_s", events / measured}}},
            {"totals", figures_of(all)},
            {"kinds", std::move(kinds)},
            {"target", std::move(use)},
            {"windows", std::move(windows)},
            {"generator",
             {{"lateness", histogram_of(figures.lateness(), true)},
              {"starved", figures.starved()},
              {"requests_sent", figures.requests_sent()},
              {"reconnects", figures.reconnects()},
              {"cpu_s", in.result.readings.empty()
                            ? 0.0
                            : seconds(in.result.readings.back().own_cpu - in.result.readings.front().own_cpu)}}},
            {"ledger", failure ? json::value(nullptr) : std::move(ledger)}};
}

}  // namespace concurred::bench
