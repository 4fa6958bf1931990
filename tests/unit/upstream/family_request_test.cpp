#include "upstream/dialect.hpp"

#include <doctest/doctest.h>
#include <boost/json.hpp>

#include <algorithm>
#include <string>

using namespace concurred;
namespace json = boost::json;

namespace {

std::string with(std::string_view fields) {
    return R"({"model":"alias","messages":[{"role":"user","content":"x"}])" +
           (fields.empty() ? std::string() : "," + std::string(fields)) + "}";
}

base::result<upstream::translated_request> translate(const upstream::dialect& d, std::string_view model,
                                                     std::string_view body, bool stream = false) {
    return d.request(body, {.upstream_model = model, .answer_model = model, .stream = stream});
}

/// The members of the body besides model and messages.
void check(const upstream::dialect& d, std::string_view model, std::string_view fields, std::string_view expected,
           std::vector<std::string> dropped = {}) {
    INFO(model << " " << fields);
    const auto made = translate(d, model, with(fields));
    REQUIRE(made.has_value());
    json::object body = json::parse(made->body).as_object();
    CHECK(body["model"].as_string() == json::string_view(model.data(), model.size()));
    body.erase("model");
    body.erase("messages");
    const bool same = json::value(body) == json::parse(json::string_view(expected.data(), expected.size()));
    CHECK_MESSAGE(same, made->body << "\n  expected\n" << expected);
    auto names = made->dropped;
    std::sort(names.begin(), names.end());
    CHECK(names == dropped);
}

std::string refused(const upstream::dialect& d, std::string_view fields) {
    const auto made = translate(d, "m", with(fields));
    REQUIRE(made.has_error());
    CHECK(base::status_of(made.error()) == 400);
    return made.error().param;
}

}  // namespace

TEST_SUITE("upstream/family_request") {
    TEST_CASE("a body is copied but for the model, the gateway's own fields and the usage that is asked for") {
        const auto made = translate(upstream::openrouter_dialect(), "deepseek/deepseek-v3.2",
                                    R"({"retries":2,"model":"a","messages":[{"role":"developer","content":"\u00e9"}],)"
                                    R"("fallback":["b"],"provider":{"order":["x"]},"stream":true,)"
                                    R"("stream_options":{"include_usage":false},"seed":1.50})",
                                    true);
        REQUIRE(made.has_value());
        CHECK(made->path == "/chat/completions");
        CHECK(json::parse(made->body) ==
              json::parse(
                  R"({"model":"deepseek/deepseek-v3.2","provider":{"order":["x"]},"stream":true,"seed":1.50,)"
                  R"("messages":[{"role":"system","content":"\u00e9"}],"stream_options":{"include_usage":true}})"));
        CHECK(made->body.find("1.50") != std::string::npos);
    }

    TEST_CASE("xAI is not asked what its models refuse") {
        const upstream::dialect& d = upstream::x_ai_dialect();
        check(d, "grok-4-1-fast",
              R"("stop":"END","presence_penalty":1,"frequency_penalty":null,"reasoning_effort":"low")", "{}",
              {"presence_penalty", "reasoning_effort", "stop"});
        check(d, "grok-4-1-fast-non-reasoning", R"("stop":"END","presence_penalty":1)",
              R"({"stop":"END","presence_penalty":1})");
        check(d, "grok-4.3", R"("reasoning_effort":"xhigh")", R"({"reasoning_effort":"high"})");
        check(d, "grok-4.6", R"("reasoning_effort":"max","service_tier":"priority")",
              R"({"reasoning_effort":"xhigh","service_tier":"priority"})");
        check(d, "grok-3-mini", R"("reasoning_effort":"minimal","logit_bias":{"1":2},"service_tier":"flex")",
              R"({"reasoning_effort":"low"})", {"logit_bias", "service_tier"});
        check(d, "grok-3", R"("temperature":0.5,"top_logprobs":8)", R"({"temperature":0.5,"top_logprobs":8})");
        CHECK(refused(d, R"("deferred":true)") == "deferred");
        CHECK(refused(d, R"("top_logprobs":9)") == "top_logprobs");
    }

    TEST_CASE("MiniMax is asked in the form that it documents") {
        const upstream::dialect& d = upstream::minimax_dialect();
        check(d, "MiniMax-M2.7", R"("temperature":0,"max_tokens":5,"seed":1,"user":"u","reasoning_effort":"high")",
              R"({"temperature":0.01,"max_completion_tokens":5,"reasoning_split":true})",
              {"reasoning_effort", "seed", "user"});
        check(d, "MiniMax-M3",
              R"("temperature":1.5,"max_tokens":5,"max_completion_tokens":7,"reasoning_effort":"none")",
              R"({"temperature":1,"max_completion_tokens":7,"reasoning_split":true,"thinking":{"type":"disabled"}})");
        const std::string tools = R"("tools":[{"type":"function","function":{"name":"f","strict":true}},)"
                                  R"({"type":"function","function":{"name":"g"}}])";
        check(d, "m", tools,
              R"({"reasoning_split":true,"tools":[{"type":"function","function":{"name":"f"}},)"
              R"({"type":"function","function":{"name":"g"}}]})");
        check(d, "m", tools + R"(,"tool_choice":"none")", R"({"reasoning_split":true})");
        check(d, "m", tools + R"(,"tool_choice":{"type":"function","function":{"name":"g"}})",
              R"({"reasoning_split":true,"tools":[{"type":"function","function":{"name":"g"}}],)"
              R"("tool_choice":{"type":"function","function":{"name":"g"}}})");
        CHECK(refused(d, R"("n":2)") == "n");
        CHECK(refused(d, R"("logprobs":true)") == "logprobs");
        const auto made = translate(d, "m",
                                    with(R"("response_format":{"type":"json_schema","json_schema":{"name":"n",)"
                                         R"("schema":{"type": "object"}}})"));
        REQUIRE(made.has_value());
        const json::value body = json::parse(made->body);
        CHECK(!body.as_object().contains("response_format"));
        CHECK(body.at("messages").at(0).at("role").as_string() == "system");
        CHECK(body.at("messages").at(0).at("content").as_string().find(R"({"type":"object"})") != std::string::npos);
        CHECK(body.at("messages").as_array().size() == 2);
    }
}
