#include "tests/support/fixture_files.hpp"
#include "upstream/dialect.hpp"

#include <doctest/doctest.h>
#include <boost/json.hpp>

#include <algorithm>
#include <string>

using namespace concurred;
namespace json = boost::json;

namespace {

struct made {
    json::object body;
    std::vector<std::string> dropped;
    std::string headers;

    [[nodiscard]] bool drops(std::string_view name) const {
        return std::find(dropped.begin(), dropped.end(), name) != dropped.end();
    }
};

base::result<upstream::translated_request> translate(std::string_view body, std::string_view model, bool stream) {
    return upstream::anthropic_dialect().request(body,
                                                 {.upstream_model = model, .answer_model = model, .stream = stream});
}

// A request with one user message and further members, for a model.
made request(std::string_view members, std::string_view model = "claude-sonnet-4-5") {
    const std::string body = R"({"model":"m","messages":[{"role":"user","content":"hi"}])" +
                             std::string(members.empty() ? "" : ",") + std::string(members) + "}";
    const auto r = translate(body, model, false);
    REQUIRE(r.has_value());
    return {json::parse(r->body).as_object(), r->dropped, r->extra_headers};
}

json::value messages(std::string_view list, std::string_view model = "claude-sonnet-4-5") {
    const auto r = translate(R"({"model":"m","messages":)" + std::string(list) + "}", model, false);
    REQUIRE(r.has_value());
    return json::parse(r->body);
}

std::string refused(std::string_view body, std::string_view model = "claude-sonnet-4-5") {
    const auto r = translate(body, model, false);
    REQUIRE_FALSE(r.has_value());
    CHECK(base::status_of(r.error()) == 400);
    CHECK(r.error().message.find(r.error().param) != std::string::npos);
    return r.error().param;
}

constexpr std::string_view tool =
    R"("tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}])";

}  // namespace

TEST_SUITE("upstream/anthropic_request") {
    TEST_CASE("the round trip of tools comes out as expected") {
        const auto r = translate(test::fixture("requests/tools-round-trip.openai.json"), "claude-sonnet-4-5", true);
        REQUIRE(r.has_value());
        CHECK(r->path == "/v1/messages");
        CHECK(json::parse(r->body) == json::parse(test::fixture("requests/tools-round-trip.anthropic.expected.json")));
        CHECK(r->dropped == std::vector<std::string>{"seed", "top_p"});
    }

    TEST_CASE("a limit of tokens is always sent, and never above the model's") {
        CHECK(request("").body.at("max_tokens") == 64'000);
        CHECK(request("", "claude-3-haiku-20240307").body.at("max_tokens") == 4'096);
        CHECK(request(R"("max_tokens":10)").body.at("max_tokens") == 10);
        CHECK(request(R"("max_tokens":10,"max_completion_tokens":20)").body.at("max_tokens") == 20);
        CHECK(request(R"("max_tokens":9999999)").body.at("max_tokens") == 64'000);
        CHECK(refused(R"({"messages":[{"role":"user","content":"hi"}],"max_tokens":0})") == "max_tokens");
    }

    TEST_CASE("sampling is sent as the model takes it") {
        constexpr std::string_view all = R"("temperature":0.5,"top_p":0.9,"top_k":5)";
        const made older = request(all, "claude-3-haiku-20240307");
        CHECK(older.body.at("temperature") == 0.5);
        CHECK(older.body.at("top_p") == 0.9);
        CHECK(older.body.at("top_k") == 5);
        const made newest = request(all, "claude-opus-5");
        CHECK_FALSE(newest.body.contains("temperature"));
        CHECK((newest.drops("temperature") && newest.drops("top_p") && newest.drops("top_k")));
        CHECK_FALSE(request(R"("temperature":1)", "claude-opus-5").drops("temperature"));
        CHECK(request(R"("temperature":1.7)").body.at("temperature") == 1);
        CHECK(request(R"("temperature":0.5,"reasoning_effort":"low")").drops("temperature"));
    }

    TEST_CASE("thinking is asked for in the words of the model") {
        const made adaptive = request(R"("reasoning_effort":"minimal")", "claude-opus-5");
        CHECK(adaptive.body.at("thinking") == json::parse(R"({"type":"adaptive","display":"summarized"})"));
        CHECK(adaptive.body.at("output_config") == json::parse(R"({"effort":"low"})"));
        const made budget = request(R"("reasoning_effort":"medium","max_tokens":2048)");
        CHECK(budget.body.at("thinking") == json::parse(R"({"type":"enabled","budget_tokens":8192})"));
        CHECK(budget.body.at("max_tokens") == 2'048 + 8'192);
        const made full = request(R"("reasoning_effort":"high")");
        CHECK(full.body.at("thinking").at("budget_tokens").as_int64() < full.body.at("max_tokens").as_int64());
        const made close = request(R"("reasoning_effort":"high","max_tokens":63900)");
        CHECK(close.body.at("thinking").at("budget_tokens").as_int64() < close.body.at("max_tokens").as_int64());
        CHECK(close.body.at("max_tokens") == 64'000);
        CHECK(request(R"("reasoning_effort":"none")", "claude-opus-4-8").body.at("thinking") ==
              json::parse(R"({"type":"disabled"})"));
        CHECK(request(R"("reasoning_effort":"none")", "claude-sonnet-5-5").body.at("thinking") ==
              json::parse(R"({"type":"between_tools"})"));
        CHECK(request(R"("reasoning_effort":"none")", "claude-fable-5").body.at("output_config") ==
              json::parse(R"({"effort":"low"})"));
        CHECK(request(R"("reasoning_effort":"high")", "claude-3-haiku-20240307").drops("reasoning_effort"));
        CHECK(refused(R"({"messages":[{"role":"user","content":"x"}],"reasoning_effort":"much"})") ==
              "reasoning_effort");
        const made own = request(R"("thinking":{"type":"enabled","budget_tokens":2000},"max_tokens":1000)");
        CHECK(own.body.at("thinking").at("budget_tokens") == 2000);
        CHECK(own.body.at("max_tokens") == 3000);
    }

    TEST_CASE("signed thoughts go back first and byte for byte, others stay away") {
        const json::value body = messages(
            R"([{"role":"user","content":"a"},{"role":"assistant","content":"b","reasoning_content":"never sent",)"
            R"("reasoning_details":[{"type":"reasoning.text","text":"t\u00fc","signature":"S=","format":)"
            R"("anthropic-claude-v1","index":0},{"type":"reasoning.text","text":"","signature":"E="},)"
            R"({"type":"reasoning.encrypted","data":"D=","format":"anthropic-claude-v1"},)"
            R"({"type":"reasoning.text","text":"unsigned"},)"
            R"({"type":"reasoning.text","text":"x","signature":"G","format":"google-gemini-v1"}]},)"
            R"({"role":"user","content":"c"}])");
        CHECK(body.at("messages").at(1).at("content") ==
              json::parse(R"([{"type":"thinking","thinking":"tü","signature":"S="},)"
                          R"({"type":"thinking","thinking":"","signature":"E="},)"
                          R"({"type":"redacted_thinking","data":"D="},{"type":"text","text":"b"}])"));
    }

    TEST_CASE("a budget is not asked for in the middle of a tool loop that has no signed thoughts") {
        constexpr std::string_view head =
            R"({"messages":[{"role":"user","content":"a"},{"role":"assistant","tool_calls":[{"id":"c1","type":)"
            R"("function","function":{"name":"f","arguments":"{}"}}])";
        constexpr std::string_view tail =
            R"(},{"role":"tool","tool_call_id":"c1","content":"r"}],"reasoning_effort":"low"})";
        const auto bare = translate(std::string(head) + std::string(tail), "claude-sonnet-4-5", false);
        REQUIRE(bare.has_value());
        CHECK_FALSE(json::parse(bare->body).as_object().contains("thinking"));
        CHECK(bare->dropped == std::vector<std::string>{"reasoning_effort"});
        const auto signed_one = translate(
            std::string(head) + R"(,"reasoning_details":[{"type":"reasoning.text","text":"t","signature":"S"}])" +
                std::string(tail),
            "claude-sonnet-4-5", false);
        REQUIRE(signed_one.has_value());
        CHECK(json::parse(signed_one->body).as_object().contains("thinking"));
    }

    TEST_CASE("tool choices are said, or come as near as the model takes them") {
        const auto choice = [](std::string_view value, std::string_view model = "claude-sonnet-4-5",
                               std::string_view more = "") {
            return request(std::string(tool) + R"(,"tool_choice":)" + std::string(value) + std::string(more), model);
        };
        CHECK(choice(R"("auto")").body.at("tool_choice") == json::parse(R"({"type":"auto"})"));
        CHECK(choice(R"("none")").body.at("tool_choice") == json::parse(R"({"type":"none"})"));
        CHECK(choice(R"("required")").body.at("tool_choice") == json::parse(R"({"type":"any"})"));
        constexpr std::string_view named = R"({"type":"function","function":{"name":"f"}})";
        CHECK(choice(named).body.at("tool_choice") == json::parse(R"({"type":"tool","name":"f"})"));
        CHECK(choice(R"("required")", "claude-opus-5-5").body.at("tool_choice") == json::parse(R"({"type":"auto"})"));
        CHECK(choice(R"("required")", "claude-opus-5-5").drops("tool_choice"));
        CHECK(choice(named, "claude-sonnet-4-5", R"(,"reasoning_effort":"low")").drops("tool_choice"));
        CHECK(choice(R"({"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function",)"
                     R"("function":{"name":"f"}}]}})")
                  .body.at("tool_choice") == json::parse(R"({"type":"any"})"));
        CHECK_FALSE(request(R"("tool_choice":"auto")").body.contains("tool_choice"));
        CHECK(request(std::string(tool) + R"(,"parallel_tool_calls":false)").body.at("tool_choice") ==
              json::parse(R"({"type":"auto","disable_parallel_tool_use":true})"));
        CHECK(refused(R"({"messages":[{"role":"user","content":"x"}],)" + std::string(tool) +
                      R"(,"tool_choice":{"type":"function","function":{"name":"g"}}})") == "tool_choice");
    }

    TEST_CASE("tools that only earlier turns know are declared and not offered") {
        const json::value body =
            messages(R"([{"role":"user","content":"a"},{"role":"assistant","tool_calls":[{"id":"c1","type":"function",)"
                     R"("function":{"name":"f","arguments":"not JSON"}}]},{"role":"tool","tool_call_id":"c1",)"
                     R"("content":[{"type":"text","text":"broken"}],"is_error":true}])");
        CHECK(body.at("tools").at(0).at("name") == "f");
        CHECK(body.at("tool_choice") == json::parse(R"({"type":"none"})"));
        CHECK(body.at("messages").at(1).at("content").at(0).at("input") == json::parse(R"({"_raw":"not JSON"})"));
        CHECK(body.at("messages").at(2).at("content").at(0) ==
              json::parse(R"({"type":"tool_result","tool_use_id":"c1","content":[{"type":"text","text":"broken"}],)"
                          R"("is_error":true})"));
    }

    TEST_CASE("ids that Anthropic does not take are the same on both sides of a turn") {
        const json::value body = messages(
            R"([{"role":"user","content":"a"},{"role":"assistant","tool_calls":[{"id":"call:1.x","type":"function",)"
            R"("function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"call:1.x","content":"r"}])");
        const json::string id = body.at("messages").at(1).at("content").at(0).at("id").as_string();
        CHECK(std::all_of(id.begin(), id.end(), [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; }));
        CHECK(body.at("messages").at(2).at("content").at(0).at("tool_use_id") == id);
    }

    TEST_CASE("images, files and cache markers are said in Anthropic's words") {
        const json::value body = messages(
            R"([{"role":"system","content":[{"type":"text","text":"s","cache_control":{"type":"ephemeral"}}]},)"
            R"({"role":"user","cache_control":{"type":"ephemeral","ttl":"1h"},"content":[{"type":"text","text":"  "},)"
            R"({"type":"image_url","image_url":{"url":"https://a.example/b.png","detail":"high"}},)"
            R"({"type":"image_url","image_url":{"url":"data:image/JPG;charset=x;base64,QUI"}},)"
            R"({"type":"file","file":{"file_data":"data:text/plain;base64,aGk=","filename":"a.txt"}},)"
            R"({"type":"file","file":{"file_data":"data:application/pdf;base64,QUJD"}}]}])");
        CHECK(body.at("system") == json::parse(R"([{"type":"text","text":"s","cache_control":{"type":"ephemeral"}}])"));
        CHECK(
            body.at("messages").at(0).at("content") ==
            json::parse(
                R"([{"type":"image","source":{"type":"url","url":"https://a.example/b.png"}},)"
                R"({"type":"image","source":{"type":"base64","media_type":"image/jpeg","data":"QUI="}},)"
                R"({"type":"document","source":{"type":"text","media_type":"text/plain","data":"hi"},"title":"a.txt"},)"
                R"({"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"QUJD"},)"
                R"("cache_control":{"type":"ephemeral","ttl":"1h"}}])"));
        const auto file =
            translate(R"({"messages":[{"role":"user","content":[{"type":"file","file":{"file_id":"file_011A"}}]}]})",
                      "claude-opus-5", false);
        REQUIRE(file.has_value());
        CHECK(file->extra_headers.find("anthropic-beta: files-api-") == 0);
    }

    TEST_CASE("turns alternate, begin with the user and say something") {
        const json::value body = messages(
            R"([{"role":"assistant","content":"a"},{"role":"user","content":""},{"role":"system","content":"late"},)"
            R"({"role":"user","content":"b"},{"role":"assistant","content":"c"},{"role":"assistant","content":"d \n "}])");
        CHECK(body.at("system") == json::parse(R"([{"type":"text","text":"late"}])"));
        CHECK(
            body.at("messages") ==
            json::parse(R"([{"role":"user","content":[{"type":"text","text":"."}]},)"
                        R"({"role":"assistant","content":[{"type":"text","text":"a"}]},)"
                        R"({"role":"user","content":[{"type":"text","text":"b"}]},)"
                        R"({"role":"assistant","content":[{"type":"text","text":"c"},{"type":"text","text":"d"}]}])"));
    }

    TEST_CASE("answers in JSON are asked for as the model can give them") {
        constexpr std::string_view schema =
            R"("response_format":{"type":"json_schema","json_schema":{"name":"city","schema":{"type":"object",)"
            R"("properties":{"a":{"type":"integer","minimum":1,"description":"A."},"b":{"oneOf":[{"type":"string",)"
            R"("format":"date"},{"type":"string","format":"iban"}]}}}}})";
        const made newer = request(schema);
        CHECK(newer.body.at("output_config").at("format") ==
              json::parse(R"x({"type":"json_schema","schema":{"type":"object","properties":{"a":{"type":"integer",)x"
                          R"x("description":"A. (minimum: 1)"},"b":{"anyOf":[{"type":"string","format":"date"},)x"
                          R"x({"type":"string","description":"(format: \"iban\")"}]}},)x"
                          R"x("additionalProperties":false}})x"));
        const made older = request(schema, "claude-3-haiku-20240307");
        CHECK(older.body.at("tool_choice") == json::parse(R"({"type":"tool","name":"city"})"));
        CHECK(older.body.at("tools").at(0).at("name") == "city");
        const made object = request(R"("response_format":{"type":"json_object"})");
        CHECK(object.body.at("system").at(0).at("text").as_string().find("JSON") != json::string::npos);
        CHECK_FALSE(request(R"("response_format":{"type":"text"})").body.contains("system"));
    }

    TEST_CASE("who asks, the tier and the search go over in their own form") {
        const made m = request(R"("user":"me@example.org","service_tier":"default","web_search_options":)"
                               R"({"user_location":{"type":"approximate","approximate":{"city":"Bern"}}})");
        const json::string& id = m.body.at("metadata").at("user_id").as_string();
        CHECK(id.size() == 64);
        CHECK(m.body.at("service_tier") == "standard_only");
        CHECK(m.body.at("tools").at(0) ==
              json::parse(R"({"type":"web_search_20250305","name":"web_search","user_location":{"type":)"
                          R"("approximate","city":"Bern"}})"));
        CHECK(request(R"("service_tier":"flex")").drops("service_tier"));
        CHECK(request(R"("stop":["END","  "])").body.at("stop_sequences") == json::parse(R"(["END"])"));
    }

    TEST_CASE("what only tunes is left out and named, what asks for nothing is not named") {
        const made m = request(R"("seed":7,"logit_bias":{"1":2},"frequency_penalty":0,"presence_penalty":0.5,)"
                               R"("store":false,"metadata":{},"verbosity":"low","logprobs":false,"n":1,)"
                               R"("fallback":["x"],"retries":1,"modalities":["text"],"prediction":null)");
        CHECK(m.dropped == std::vector<std::string>{"seed", "logit_bias", "presence_penalty", "verbosity"});
    }

    TEST_CASE("what would be missed is refused by name") {
        const auto with = [](std::string_view member) {
            return refused(R"({"messages":[{"role":"user","content":"x"}],)" + std::string(member) + "}");
        };
        CHECK(with(R"("n":2)") == "n");
        CHECK(with(R"("logprobs":true)") == "logprobs");
        CHECK(with(R"("top_logprobs":3)") == "top_logprobs");
        CHECK(with(R"("modalities":["text","audio"])") == "modalities");
        CHECK(with(R"("functions":[])") == "functions");
        CHECK(with(R"("stop":5)") == "stop");
        CHECK(with(R"("response_format":{"type":"xml"})") == "response_format.type");
        CHECK(with(R"("tools":[{"type":"custom","custom":{"name":"c"}}])") == "tools[0].type");
        const auto content = [](std::string_view part) {
            return refused(R"({"messages":[{"role":"user","content":[)" + std::string(part) + "]}]}");
        };
        CHECK(content(R"({"type":"input_audio","input_audio":{}})") == "messages[0].content[0].type");
        CHECK(content(R"({"type":"image_url","image_url":{"url":"http://a/b"}})") ==
              "messages[0].content[0].image_url.url");
        CHECK(content(R"({"type":"image_url","image_url":{"url":"data:image/bmp;base64,QQ=="}})") ==
              "messages[0].content[0].image_url.url");
        CHECK(content(R"({"type":"file","file":{"file_id":"file-abc"}})") == "messages[0].content[0].file.file_id");
        CHECK(content(R"({"type":"file","file":{"file_data":"data:audio/wav;base64,QQ=="}})") ==
              "messages[0].content[0].file.file_data");
        CHECK(refused(R"({"messages":[{"role":"robot","content":"x"}]})") == "messages[0].role");
        CHECK(refused(R"({"messages":[{"role":"tool","content":"x"}]})") == "messages[0].tool_call_id");
    }
}
