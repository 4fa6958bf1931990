#include "bench/bench_command.hpp"

#include "bench/load_rig.hpp"
#include "bench/report_file.hpp"
#include "bench/report_html.hpp"
#include "bench/report_json.hpp"
#include "bench/report_text.hpp"
#include "crypto/tls_context.hpp"
#include "gateway/base/config_text.hpp"
#include "gateway/base/config_value.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <algorithm>
#include <iostream>
#include <variant>

namespace concurred::bench {
namespace {

constexpr int exit_failure = 1;
constexpr int exit_usage = 64;
constexpr int exit_unavailable = 69;
constexpr int exit_configuration = 78;
constexpr int windows_at_most = 120;

int complain(int code, const std::string& what) {
    std::cerr << "bench: " << what << '\n';
    return code;
}

void apply(const bench_options& options, scenario& plan) {
    for (load_stage& stage : plan.stages) {
        if (options.level > 0) {
            stage.from = stage.to = options.level;
        }
    }
    plan.connections = options.connections > 0 ? options.connections : plan.connections;
    plan.threads = options.threads > 0 ? options.threads : plan.threads;
}

load_target target_of(const bench_options& options) {
    load_target target;
    target.url = options.target;
    target.model_prefix = options.model_prefix;
    target.fields = options.fields;
    target.ledger_url = options.ledger_url;
    target.process = options.process;
    target.ca_file = options.ca_file;
    for (const std::string& text : options.keys) {
        const auto mark = text.find('=');
        const bool named = mark != std::string::npos && mark > 0;
        target.keys[named ? text.substr(0, mark) : "good"].push_back(named ? text.substr(mark + 1) : text);
    }
    return target;
}

/// What is wrong with the plan's side of the network; empty: it is filled in.
std::string aim(const load_target& target, load_plan& plan) {
    const auto url = net::parse_url(target.url);
    if (!url) {
        return std::string("the target's URL is not usable: ") + std::string(base::text_of(url.error()));
    }
    boost::asio::io_context context{1};
    boost::asio::ip::tcp::resolver resolver(context);
    boost::system::error_code failure;
    const auto found = resolver.resolve(url->host, std::to_string(url->port), failure);
    if (failure || found.empty()) {
        return "the target's name is not known: " + url->host;
    }
    plan.target = *found.begin();
    plan.host = url->host;
    if (url->tls) {
        auto tls = crypto::make_client_tls(target.ca_file);
        if (!tls) {
            return std::string(base::text_of(tls.error()));
        }
        plan.tls = std::move(*tls);
    }
    for (const request_kind& kind : plan.what.kinds) {
        const auto keys = target.keys.find(kind.key);
        plan.requests.push_back(
            make_load_request(kind, *url, target.model_prefix, target.fields,
                              keys == target.keys.end() ? std::vector<std::string>{} : keys->second));
    }
    return {};
}

std::chrono::nanoseconds window_of(const scenario& plan) {
    const std::chrono::nanoseconds length = plan.length();
    const auto least = std::min<std::chrono::nanoseconds>(std::chrono::seconds{1}, length / 10);
    return std::max<std::chrono::nanoseconds>(least, length / windows_at_most);
}

int finish(const bench_options& options, const report_input& in) {
    const auto report = make_report(in);
    std::cout << report_text(report);
    if (!options.json_file.empty() && !write_text(options.json_file, to_text(report))) {
        return complain(exit_unavailable, "cannot write " + options.json_file);
    }
    if (!options.html_file.empty() && !write_text(options.html_file, report_html(report))) {
        return complain(exit_unavailable, "cannot write " + options.html_file);
    }
    if (!invalid_because(in.plan, in.result).empty()) {
        return exit_unavailable;
    }
    return broken_expectations(in).empty() ? 0 : exit_failure;
}

int run(const bench_options& options, const scenario& what) {
    std::unique_ptr<load_rig> rig;
    if (options.target.empty()) {
        std::string complaint;
        rig = load_rig::start(what, options.pin, complaint);
        if (!rig) {
            return complain(exit_unavailable, complaint);
        }
    }
    const load_target target = rig ? rig->target() : target_of(options);
    load_plan plan{what, {}, {}, {}, {}, {}, window_of(what)};
    if (const std::string wrong = aim(target, plan); !wrong.empty()) {
        return complain(exit_usage, wrong);
    }
    if (!plan.target.address().is_loopback() && !options.anywhere) {
        return complain(exit_usage, "the target is another machine (" + plan.target.address().to_string() +
                                        "): --allow-remote says that it may be loaded");
    }
    load_surroundings around;
    around.watched = target.process;
    if (rig) {
        around.act = [&rig](const load_action& action, bool resume) { rig->act(action, resume); };
    }
    const load_result result = run_load(plan, around);
    report_input in{what, result, target.url, plan.window, {}, {}, true};
    if (rig) {
        in.gateway_ran = rig->gateway_runs();
        in.gateway_exit = rig->stop_gateway();
    }
    if (!target.ledger_url.empty()) {
        in.ledger = get_text(target.ledger_url);
    }
    return finish(options, in);
}

}  // namespace

int run_bench(const bench_options& options) {
    auto found = find_scenario(options.scenario);
    if (const auto* complaints = std::get_if<std::vector<std::string>>(&found)) {
        for (const std::string& text : *complaints) {
            std::cerr << "bench: " << text << '\n';
        }
        return exit_configuration;
    }
    scenario& plan = std::get<scenario>(found);
    apply(options, plan);
    if (!options.length.empty()) {
        const auto length = base::parse_duration(options.length);
        if (!length || length->count() == 0) {
            return complain(exit_usage, "--for needs a time, e.g. 30s");
        }
        stretch(plan, *length);
    }
    return run(options, plan);
}

int list_scenarios() {
    for (const auto& [name, text] : own_scenarios()) {
        const auto read = read_scenario(text, name);
        const auto* plan = std::get_if<scenario>(&read);
        std::string line(name);
        line.resize(std::max<std::size_t>(line.size() + 1, 24), ' ');
        std::cout << line << (plan == nullptr ? "" : plan->about) << '\n';
    }
    return 0;
}

int render_report(const std::string& report, const std::string& page) {
    std::string complaint;
    const auto read = read_report(report, complaint);
    if (!read) {
        return complain(exit_unavailable, complaint);
    }
    return write_text(page, report_html(*read)) ? 0 : complain(exit_unavailable, "cannot write " + page);
}

}  // namespace concurred::bench
