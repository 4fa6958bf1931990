#include "upstream/routing_request.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace concurred;
using upstream::balance_strategy;
using upstream::parse_routing_request;

namespace {

base::result<upstream::routing_request> parse(const std::string& members) {
    static std::string body;
    body = R"({"model":"gpt","messages":[{}],)" + members + "}";
    const auto request = upstream::parse_chat_request(body);
    if (!request) {
        return request.error();
    }
    return parse_routing_request(*request);
}

}  // namespace

TEST_SUITE("upstream/routing_request") {
    TEST_CASE("a request that names no other models has nothing to parse") {
        const std::string body = R"({"model":"gpt","messages":[{}],"fallback":null,"retries":3})";
        const auto request = upstream::parse_chat_request(body);
        REQUIRE(request.has_value());
        CHECK(!upstream::names_more_models(*request));
    }

    TEST_CASE("fallbacks in their order, escapes decoded") {
        const auto r = parse(R"("fallback":["claude","\u0067emini","openai/gpt-5.2"])");
        REQUIRE(r.has_value());
        CHECK(r->fallback == std::vector<std::string>{"claude", "gemini", "openai/gpt-5.2"});
        CHECK(r->balanced.empty());
    }

    TEST_CASE("models to balance over, with weights and without") {
        const auto r = parse(
            R"("load_balance":{"strategy":"least_latency","models":[{"model":"gpt","weight":70},{"model":"claude"}]})");
        REQUIRE(r.has_value());
        CHECK(r->strategy == balance_strategy::least_latency);
        REQUIRE(r->balanced.size() == 2);
        CHECK(r->balanced[0].model == "gpt");
        CHECK(r->balanced[0].weight == 70);
        CHECK(r->balanced[1].weight == 1);
        const auto plain = parse(R"("load_balance":{"models":[{"model":"gpt"}]})");
        REQUIRE(plain.has_value());
        CHECK(plain->strategy == balance_strategy::weighted);
    }

    TEST_CASE("a wrong value is refused with its place and what is allowed") {
        std::string many;
        for (int i = 0; i < 17; ++i) {
            many += std::string(i == 0 ? "" : ",") + R"({"model":"m)" + std::to_string(i) + "\"}";
        }
        struct row {
            std::string members;
            const char* param;
            const char* allowed;
        };
        const row rows[] = {
            {R"("load_balance":{})", "load_balance.models", "1 to 16"},
            {R"("load_balance":{"models":[]})", "load_balance.models", "1 to 16"},
            {R"("load_balance":{"models":"gpt"})", "load_balance.models", "1 to 16"},
            {R"("load_balance":{"models":[)" + many + "]}", "load_balance.models", "1 to 16"},
            {R"("load_balance":{"models":["gpt"]})", "load_balance.models[0]", "an object"},
            {R"("load_balance":{"models":[{}]})", "load_balance.models[0].model", "non-empty string"},
            {R"("load_balance":{"models":[{"model":7}]})", "load_balance.models[0].model", "non-empty string"},
            {R"("load_balance":{"models":[{"model":"a"},{"model":"a"}]})", "load_balance.models[1].model",
             "another one"},
            {R"("load_balance":{"models":[{"model":"a","weight":-1}]})", "load_balance.models[0].weight",
             "from 0 to 1000000"},
            {R"("load_balance":{"models":[{"model":"a","weight":1.5}]})", "load_balance.models[0].weight",
             "from 0 to 1000000"},
            {R"("load_balance":{"models":[{"model":"a","weight":1000001}]})", "load_balance.models[0].weight",
             "from 0 to 1000000"},
            {R"("load_balance":{"models":[{"model":"a","weight":"1"}]})", "load_balance.models[0].weight",
             "from 0 to 1000000"},
            {R"("load_balance":{"models":[{"model":"a","weight":0}]})", "load_balance.models", "above 0"},
            {R"("load_balance":{"strategy":"best","models":[{"model":"a"}]})", "load_balance.strategy",
             "weighted, round_robin, least_latency and random"},
            {R"("load_balance":{"strategy":1,"models":[{"model":"a"}]})", "load_balance.strategy", "one of"},
            {R"("load_balance":{"stategy":"random","models":[{"model":"a"}]})", "load_balance", "strategy and models"},
            {R"("load_balance":{"models":[{"model":"a","wait":1}]})", "load_balance.models[0]", "model and weight"},
            {R"("load_balance":[])", "load_balance", "an object"},
            {R"("fallback":"claude")", "fallback", "at most 8 model names"},
            {R"("fallback":[""])", "fallback", "at most 8 model names"},
            {R"("fallback":["a","b","c","d","e","f","g","h","i"])", "fallback", "at most 8 model names"},
            {R"("retries":6)", "retries", "from 0 to 5"},
            {R"("retries":-1)", "retries", "from 0 to 5"},
            {R"("retries":"2")", "retries", "from 0 to 5"},
            {R"("timeout":0)", "timeout", "from 1 to 300000"},
            {R"("timeout":300001)", "timeout", "from 1 to 300000"},
        };
        for (const row& r : rows) {
            INFO(r.members);
            const auto parsed = parse(r.members);
            REQUIRE(!parsed.has_value());
            CHECK(parsed.error().code == base::errc::bad_request);
            CHECK(parsed.error().param == r.param);
            CHECK(parsed.error().message.find(r.allowed) != std::string::npos);
            CHECK(parsed.error().message.find(r.param) != std::string::npos);
        }
    }
}
