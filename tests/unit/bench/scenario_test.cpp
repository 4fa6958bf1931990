#include "bench/scenario.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <string>

using concurred::bench::find_scenario;
using concurred::bench::load_mode;
using concurred::bench::own_scenarios;
using concurred::bench::read_scenario;
using concurred::bench::scenario;
using namespace std::chrono_literals;

namespace {

using complaints = std::vector<std::string>;

constexpr std::string_view whole = R"(
name = "all"
about = "every key"
redis = true
[load]
mode = "open"
arrivals = "poisson"
connections = 32
idle_connections = 5
threads = 2
warmup = "2s"
drain = "1s"
timeout = "90s"
lateness = "3ms"
seed = 9
[[stage]]
level = 10
for = "4s"
[[stage]]
from = 10
to = 50
for = "6s"
[[request]]
name = "stream"
weight = 2.5
path = "/messages"
mock = "tokens=3;stamp"
fields = '"temperature":0'
key = "few"
stream = true
prompt = "16KiB"
frames = 3
leave_after = 2
read_rate = 4096
expect = [200, 429]
[keys.few]
count = 3
rate_limit = 60
revoked = true
[[action]]
at = "1s"
to = "redis"
pause = "20ms"
every = "100ms"
[[action]]
at = "5s"
to = "gateway"
signal = "HUP"
[gateway]
"limits.mode" = "strict"
"server.shards" = 2
[expect]
succeeded = 0.5
frames = false
rss = "1MiB"
growth_per_hour = 2048
survives = false
)";

/// The one complaint about a text.
std::string complaint_about(const std::string& text) {
    const auto read = read_scenario(text, "x");
    const auto* found = std::get_if<complaints>(&read);
    REQUIRE(found != nullptr);
    REQUIRE(found->size() == 1);
    return found->front();
}

const std::string stage = "[[stage]]\nlevel = 1\nfor = \"1s\"\n";
const std::string request = "[[request]]\nmock = \"pad=1\"\n";

}  // namespace

TEST_SUITE("bench/scenario") {
    TEST_CASE("every key is read") {
        const auto read = read_scenario(whole, "x");
        REQUIRE(std::holds_alternative<scenario>(read));
        const auto& s = std::get<scenario>(read);
        CHECK(s.name == "all");
        CHECK(s.redis);
        CHECK(s.mode == load_mode::open);
        CHECK(s.poisson);
        CHECK(s.connections == 32);
        CHECK(s.idle_connections == 5);
        CHECK(s.threads == 2);
        CHECK(s.warmup == 2s);
        CHECK(s.drain == 1s);
        CHECK(s.timeout == 90s);
        CHECK(s.lateness == 3ms);
        CHECK(s.seed == 9);
        CHECK(s.length() == 10s);
        REQUIRE(s.stages.size() == 2);
        CHECK(s.stages[0].to == 10);
        CHECK(s.stages[1].from == 10);
        CHECK(s.stages[1].to == 50);
        REQUIRE(s.kinds.size() == 1);
        const auto& kind = s.kinds.front();
        CHECK(kind.weight == 2.5);
        CHECK(kind.path == "/messages");
        CHECK(kind.key == "few");
        CHECK(kind.stream);
        CHECK(kind.prompt == 16'384);
        CHECK(kind.frames == 3);
        CHECK(kind.leave_after == 2);
        CHECK(kind.read_rate == 4'096);
        CHECK(kind.expect == std::vector<unsigned>{200, 429});
        CHECK(s.keys.at("few").count == 3);
        CHECK(s.keys.at("few").rate_limit == 60);
        CHECK(s.keys.at("few").revoked);
        REQUIRE(s.actions.size() == 2);
        CHECK(s.actions[0].signal == 0);
        CHECK(s.actions[0].pause == 20ms);
        CHECK(s.actions[0].every == 100ms);
        CHECK(s.actions[1].signal == SIGHUP);
        CHECK(s.gateway.size() == 2);
        CHECK(s.gateway[0].second == "'strict'");
        CHECK(s.expect.succeeded == 0.5);
        CHECK_FALSE(s.expect.frames);
        CHECK(s.expect.rss == 1'048'576);
        CHECK(s.expect.growth_per_hour == 2'048);
        CHECK_FALSE(s.expect.survives);
    }

    TEST_CASE("what is wrong is said with its line, and with what was probably meant") {
        CHECK(complaint_about(stage + "[[request]]\nmock = \"a\"\nstraem = true\n") ==
              "x:6: straem: unknown key, did you mean 'stream'?");
        CHECK(complaint_about(stage + "[[request]]\nmock = \"a\"\nstream = \"yes\"\n") ==
              "x:6: stream: needs true or false");
        CHECK(complaint_about("name = \n").starts_with("x:1: is not TOML"));
    }

    TEST_CASE("a scenario that cannot be run is refused") {
        CHECK(complaint_about(request).find("[[stage]]") != std::string::npos);
        CHECK(complaint_about(stage).find("[[request]]") != std::string::npos);
        CHECK(complaint_about(stage + request + "key = \"none\"\n").find("[keys.none]") != std::string::npos);
        CHECK(complaint_about("[load]\nwarmup = \"1s\"\n" + stage + request).find("warm-up") != std::string::npos);
        CHECK(complaint_about("[load]\nmode = \"open\"\n" + stage + request).find("connections") != std::string::npos);
        CHECK(complaint_about(stage + "[[request]]\nname = \"a\"\n").find("`model` or `mock`") != std::string::npos);
        CHECK(complaint_about(stage + request + "expect = [\"ok\"]\n").find("list of numbers") != std::string::npos);
        CHECK(complaint_about(stage + request + "[[action]]\nto = \"redis\"\nat = \"1s\"\n").find("pause") !=
              std::string::npos);
        CHECK(complaint_about("[[stage]]\nlevel = 1\nfor = \"0s\"\n" + request).find("above 0") != std::string::npos);
    }

    TEST_CASE("every scenario of the program is whole and has the name of its file") {
        CHECK(own_scenarios().size() >= 20);
        for (const auto& [name, text] : own_scenarios()) {
            const auto read = read_scenario(text, name);
            CAPTURE(name);
            if (const auto* wrong = std::get_if<complaints>(&read)) {
                FAIL_CHECK(wrong->front());
                continue;
            }
            CHECK(std::get<scenario>(read).name == name);
            CHECK_FALSE(std::get<scenario>(read).about.empty());
        }
    }

    TEST_CASE("a name that is nearly one of them is corrected") {
        const auto read = find_scenario("quikc");
        REQUIRE(std::holds_alternative<complaints>(read));
        CHECK(std::get<complaints>(read).front().find("did you mean 'quick'?") != std::string::npos);
    }

    TEST_CASE("a run that is stretched keeps its shape") {
        auto s = std::get<scenario>(read_scenario(whole, "x"));
        stretch(s, 5s);
        CHECK(s.length() == 5s);
        CHECK(s.stages[0].length == 2s);
        CHECK(s.warmup == 1s);
        CHECK(s.actions[1].at == 2'500ms);
        CHECK(s.actions[0].every == 100ms);
    }
}
