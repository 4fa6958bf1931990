#include "bench/scenario.hpp"
#include "bench/toml_fields.hpp"
#include "gateway/base/config_text.hpp"

#include <algorithm>
#include <array>
#include <csignal>

namespace concurred::bench {
namespace {

using std::chrono::milliseconds;

struct signal_name {
    std::string_view name;
    int number;
};
constexpr std::array signals{signal_name{"HUP", SIGHUP},   signal_name{"TERM", SIGTERM}, signal_name{"KILL", SIGKILL},
                             signal_name{"STOP", SIGSTOP}, signal_name{"CONT", SIGCONT}, signal_name{"pause", 0}};

void read_load(toml_fields& in, scenario& plan) {
    std::string mode = "closed";
    std::string how = "constant";
    in.get("mode", mode);
    in.get("arrivals", how);
    in.get("connections", plan.connections);
    in.get("idle_connections", plan.idle_connections);
    in.get("threads", plan.threads);
    in.get("warmup", plan.warmup);
    in.get("drain", plan.drain);
    in.get("timeout", plan.timeout);
    in.get("lateness", plan.lateness);
    in.get("seed", plan.seed);
    if (mode != "open" && mode != "closed") {
        in.complain("mode", "needs \"open\" or \"closed\"");
    }
    if (how != "constant" && how != "poisson") {
        in.complain("arrivals", "needs \"constant\" or \"poisson\"");
    }
    if (plan.threads == 0 || plan.threads > 64) {
        in.complain("threads", "needs 1 to 64");
    }
    plan.mode = mode == "open" ? load_mode::open : load_mode::closed;
    plan.poisson = how == "poisson";
}

/// A stage stays at `level`, or goes from `from` to `to`.
void read_stage(toml_fields& in, scenario& plan) {
    load_stage stage;
    double level = -1;
    milliseconds length{0};
    in.get("level", level);
    in.get("from", stage.from);
    in.get("to", stage.to);
    in.get("for", length);
    if (level >= 0) {
        stage.from = stage.to = level;
    }
    if (length <= milliseconds{0}) {
        in.complain("for", "needs a time above 0");
    }
    if (stage.from <= 0 && stage.to <= 0) {
        in.complain("level", "needs a number above 0 (or `from` and `to`)");
    }
    stage.length = length;
    plan.stages.push_back(stage);
}

void read_kind(toml_fields& in, scenario& plan) {
    request_kind kind;
    kind.name = "request " + std::to_string(plan.kinds.size() + 1);
    in.get("name", kind.name);
    in.get("weight", kind.weight);
    in.get("path", kind.path);
    in.get("model", kind.model);
    in.get("mock", kind.mock);
    in.get("fields", kind.fields);
    in.get("key", kind.key);
    in.get("stream", kind.stream);
    in.get_size("prompt", kind.prompt);
    in.get("frames", kind.frames);
    in.get("leave_after", kind.leave_after);
    in.get_size("read_rate", kind.read_rate);
    in.get("expect", kind.expect);
    if (kind.weight <= 0) {
        in.complain("weight", "needs a number above 0");
    }
    if (kind.model.empty() == kind.mock.empty()) {
        in.complain("model", "needs either `model` or `mock`");
    }
    if (!kind.path.starts_with('/')) {
        in.complain("path", "begins with /");
    }
    plan.kinds.push_back(kind);
}

void read_key_set(const std::string& name, toml_fields& in, scenario& plan) {
    key_set& set = plan.keys[name];
    in.get("count", set.count);
    in.get("rate_limit", set.rate_limit);
    in.get("revoked", set.revoked);
    if (set.count == 0 || set.count > 10'000) {
        in.complain("count", "needs 1 to 10000");
    }
}

void read_action(toml_fields& in, scenario& plan) {
    load_action action;
    std::string signal = "pause";
    in.get("at", action.at);
    in.get("to", action.to);
    in.get("signal", signal);
    in.get("pause", action.pause);
    in.get("every", action.every);
    const auto* found = std::ranges::find(signals, signal, &signal_name::name);
    if (found == signals.end()) {
        in.complain("signal", "needs HUP, TERM, KILL, STOP or CONT (or `pause` and no signal)");
    } else {
        action.signal = found->number;
    }
    if (action.to != "gateway" && action.to != "redis" && action.to != "mock") {
        in.complain("to", "needs gateway, redis or mock");
    }
    if ((action.signal == 0) != (action.pause > milliseconds{0})) {
        in.complain("pause", "needs a time above 0, without `signal`");
    }
    if (action.every > milliseconds{0} && action.every <= action.pause) {
        in.complain("every", "must be longer than the pause");
    }
    plan.actions.push_back(action);
}

void check_whole(toml_fields& in, scenario& plan) {
    if (plan.stages.empty()) {
        in.complain("stage", "at least one [[stage]] is needed");
    }
    if (plan.kinds.empty() && plan.idle_connections == 0) {
        in.complain("request", "at least one [[request]] is needed");
    }
    for (const request_kind& kind : plan.kinds) {
        if (!plan.keys.contains(kind.key)) {
            in.complain("request", "there is no [keys." + kind.key + "]");
        }
    }
    if (plan.warmup >= plan.length() && !plan.stages.empty()) {
        in.complain("load", "the warm-up takes all the time of the stages");
    }
    if (plan.mode == load_mode::open && plan.connections == 0) {
        in.complain("load", "an open loop needs `connections`, the most at a time");
    }
}

}  // namespace

std::variant<scenario, std::vector<std::string>> read_scenario(std::string_view text, std::string_view name) {
    toml_fields::document notes{std::string(name), {}};
    toml_fields in(text, notes);
    scenario plan;
    in.get("name", plan.name);
    in.get("about", plan.about);
    in.get("redis", plan.redis);
    in.within("load", [&](toml_fields& at) { read_load(at, plan); });
    in.each("stage", [&](toml_fields& at) { read_stage(at, plan); });
    in.each("request", [&](toml_fields& at) { read_kind(at, plan); });
    in.each("action", [&](toml_fields& at) { read_action(at, plan); });
    in.each_named("keys", [&](const std::string& set, toml_fields& at) { read_key_set(set, at, plan); });
    in.each_value("gateway",
                  [&](const std::string& key, const std::string& value) { plan.gateway.emplace_back(key, value); });
    in.within("expect", [&](toml_fields& at) {
        at.get("succeeded", plan.expect.succeeded);
        at.get("unfinished", plan.expect.unfinished);
        at.get("frames", plan.expect.frames);
        at.get_size("rss", plan.expect.rss);
        at.get_size("growth_per_hour", plan.expect.growth_per_hour);
        at.get("survives", plan.expect.survives);
    });
    in.finish();
    if (notes.complaints.empty()) {
        check_whole(in, plan);
    }
    if (!notes.complaints.empty()) {
        return notes.complaints;
    }
    return plan;
}

}  // namespace concurred::bench
