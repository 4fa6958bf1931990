#include "tests/support/fixture_files.hpp"
#include "upstream/dialect.hpp"

#include <doctest/doctest.h>
#include <boost/json.hpp>

#include <algorithm>
#include <string>

using namespace concurred;
namespace json = boost::json;

namespace {

base::result<upstream::translated_request> translate(std::string_view body,
                                                     std::string_view model = "gemini-3-pro-preview",
                                                     bool stream = false) {
    return upstream::google_dialect().request(body, {.upstream_model = model, .answer_model = model, .stream = stream});
}

json::value body_of(std::string_view body, std::string_view model = "gemini-3-pro-preview") {
    const auto made = translate(body, model);
    REQUIRE_MESSAGE(made.has_value(), (made ? std::string() : made.error().message));
    return json::parse(made->body);
}

/// A request with these fields besides a message.
std::string with(std::string_view fields) {
    return R"({"model":"m","messages":[{"role":"user","content":"x"}],)" + std::string(fields) + "}";
}

std::string with_messages(std::string_view messages) {
    return R"({"model":"m","messages":[)" + std::string(messages) + "]}";
}

json::value config_of(std::string_view fields, std::string_view model = "gemini-3-pro-preview") {
    const json::value body = body_of(with(fields), model);
    const json::value* const config = body.as_object().if_contains("generationConfig");
    return config == nullptr ? json::value(json::object()) : *config;
}

void check_json(const json::value& got, std::string_view expected) {
    const bool same = got == json::parse(json::string_view(expected.data(), expected.size()));
    CHECK_MESSAGE(same, json::serialize(got) << "\n  expected\n" << expected);
}

base::error refusal(std::string_view body, std::string_view model = "gemini-3-pro-preview") {
    const auto made = translate(body, model);
    REQUIRE(made.has_error());
    CHECK(base::status_of(made.error()) == 400);
    return made.error();
}

}  // namespace

TEST_SUITE("upstream/google_request") {
    TEST_CASE("a conversation with tools becomes what Gemini wants") {
        const std::string request = test::fixture("requests/tools-round-trip.openai.json");
        check_json(body_of(request), test::fixture("requests/tools-round-trip.google.expected.json"));
        const auto made = translate(request, "gemini-3-pro-preview", true);
        REQUIRE(made.has_value());
        CHECK(made->path == "/models/gemini-3-pro-preview:streamGenerateContent?alt=sse");
        CHECK(made->dropped == std::vector<std::string>{"user"});
        const auto plain = translate(request, "models/tuned@1");
        REQUIRE(plain.has_value());
        CHECK(plain->path == "/models/tuned%401:generateContent");
    }

    TEST_CASE("instructions at the front are the system's, later ones the user's") {
        const json::value body = body_of(with_messages(
            R"({"role":"system","content":"A"},{"role":"user","content":"b"},{"role":"developer","content":"C"},)"
            R"({"role":"assistant","content":"d"},{"role":"user","content":[{"type":"text","text":"e"}]})"));
        check_json(body.at("systemInstruction"), R"({"parts":[{"text":"A"}]})");
        check_json(body.at("contents"),
                   R"([{"role":"user","parts":[{"text":"b"},{"text":"C"}]},)"
                   R"({"role":"model","parts":[{"text":"d"}]},{"role":"user","parts":[{"text":"e"}]}])");
        const json::value gemma = body_of(
            with_messages(R"({"role":"system","content":"A"},{"role":"user","content":"b"})"), "gemma-3-27b-it");
        CHECK(!gemma.as_object().contains("systemInstruction"));
        check_json(gemma.at("contents"), R"([{"role":"user","parts":[{"text":"A"},{"text":"b"}]}])");
        const json::value alone = body_of(with_messages(R"({"role":"system","content":"A"})"));
        check_json(alone.at("contents"), R"([{"role":"user","parts":[{"text":"A"}]}])");
        const json::value model_first = body_of(with_messages(R"({"role":"assistant","content":"d"})"));
        CHECK(model_first.at("contents").at(0).at("role").as_string() == "user");
    }

    TEST_CASE("pictures, sounds and files go inline, or by an address that Gemini fetches") {
        const json::value body = body_of(with_messages(
            R"({"role":"user","content":[)"
            R"({"type":"image_url","image_url":{"url":"data:image\/jpg;charset=x;base64,QUJD"}},)"
            R"({"type":"input_audio","input_audio":{"data":"QQ==","format":"mp3"}},)"
            R"({"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,QUI="}},)"
            R"({"type":"file","file":{"file_id":"https://generativelanguage.googleapis.com/v1beta/files/x"}},)"
            R"({"type":"image_url","image_url":{"url":"https://youtu.be/x"}},)"
            R"({"type":"image_url","image_url":{"url":"https://example.com/A.PNG?sig=x.gif"}}]})"));
        check_json(body.at("contents").at(0).at("parts"),
                   R"([{"inlineData":{"mimeType":"image/jpeg","data":"QUJD"}},)"
                   R"({"inlineData":{"mimeType":"audio/mp3","data":"QQ=="}},)"
                   R"({"inlineData":{"mimeType":"application/pdf","data":"QUI="}},)"
                   R"({"fileData":{"fileUri":"https://generativelanguage.googleapis.com/v1beta/files/x"}},)"
                   R"({"fileData":{"fileUri":"https://youtu.be/x"}},)"
                   R"({"fileData":{"mimeType":"image/png","fileUri":"https://example.com/A.PNG?sig=x.gif"}}])");
    }

    TEST_CASE("what Gemini cannot take is refused by its place") {
        struct row {
            std::string body;
            std::string_view param;
        };
        const auto part = [](std::string_view json) {
            return with_messages(
                R"({"role":"user","content":"a"},{"role":"user","content":[{"type":"text","text":"x"},)" +
                std::string(json) + "]}");
        };
        const row rows[] = {
            {part(R"({"type":"image_url","image_url":{"url":"http://example.com/a.png"}})"),
             "messages[1].content[1].image_url.url"},
            {part(R"({"type":"image_url","image_url":{}})"), "messages[1].content[1].image_url.url"},
            {part(R"({"type":"file","file":{"file_id":"file-abc"}})"), "messages[1].content[1].file.file_id"},
            {part(R"({"type":"file","file":{"file_data":"QUJD"}})"), "messages[1].content[1].file.file_data"},
            {part(R"({"type":"video","video":1})"), "messages[1].content[1].type"},
            {with_messages(R"({"role":"user","content":7})"), "messages[0].content"},
            {with_messages(R"({"role":"robot","content":"x"})"), "messages[0].role"},
            {with_messages(R"({"role":"tool","tool_call_id":"c","content":"x"})"), "messages[0].tool_call_id"},
            {with(R"("n":9)"), "n"},
            {with(R"("stop":["a","b","c","d","e","f"])"), "stop"},
            {with(R"("modalities":["text","audio"])"), "modalities"},
            {with(R"("functions":[{"name":"f"}])"), "functions"},
            {with(R"("tools":[{"type":"custom","custom":{"name":"c"}}])"), "tools"},
            {with(R"("tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"maybe")"), "tool_choice"},
            {with(R"("response_format":{"type":"grammar"})"), "response_format"},
            {with(R"("reasoning_effort":"huge")"), "reasoning_effort"},
            {with(R"("temperature":"hot")"), "temperature"},
        };
        for (const row& r : rows) {
            INFO(r.body);
            CHECK(refusal(r.body).param == r.param);
        }
        CHECK(refusal(with_messages(R"({"role":"tool","tool_call_id":"c","content":"x"})")).upstream_code ==
              "tool_call_id_mismatch");
    }

    TEST_CASE("signatures go back to where they came from") {
        const std::string messages =
            with_messages(R"({"role":"user","content":"x"},{"role":"assistant","content":"so","reasoning_details":[)"
                          R"({"type":"reasoning.text","text":"t","format":"anthropic-claude-v1","signature":"no"},)"
                          R"({"type":"reasoning.encrypted","data":"TEXT","format":"google-gemini-v1","index":0}],)"
                          R"("tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{}"},)"
                          R"("extra_content":{"google":{"thought_signature":"CALL"}}},)"
                          R"({"id":"call_2","type":"function","function":{"name":"g","arguments":"[1]"}}]})");
        check_json(body_of(messages).at("contents").at(1).at("parts"),
                   R"([{"text":"so","thoughtSignature":"TEXT"},)"
                   R"({"functionCall":{"id":"call_1","name":"f","args":{}},"thoughtSignature":"CALL"},)"
                   R"({"functionCall":{"id":"call_2","name":"g","args":{"_raw":"[1]"}}}])");
        const std::string lost =
            with_messages(R"({"role":"user","content":"x"},{"role":"assistant","content":null,"tool_calls":[)"
                          R"({"id":"a","type":"function","function":{"name":"f","arguments":""}}]})");
        CHECK(body_of(lost).at("contents").at(1).at("parts").at(0).at("thoughtSignature").as_string() ==
              "skip_thought_signature_validator");
        const json::value older = body_of(lost, "gemini-2.5-flash");  // it does not ask for signatures
        CHECK(!older.at("contents").at(1).at("parts").at(0).as_object().contains("thoughtSignature"));
    }

    TEST_CASE("every tool choice has its mode") {
        const auto config = [](std::string_view choice, std::string_view strict = "") {
            const json::value body =
                body_of(with(R"("tools":[{"type":"function","function":{"name":"f")" + std::string(strict) +
                             R"(}},{"type":"function","function":{"name":"g"}}])" + std::string(choice)));
            const json::value* const found = body.as_object().if_contains("toolConfig");
            return found == nullptr ? json::value() : found->at("functionCallingConfig");
        };
        CHECK(config("").is_null());
        check_json(config(R"(,"tool_choice":"auto")"), R"({"mode":"AUTO"})");
        check_json(config("", R"(,"strict":true)"), R"({"mode":"VALIDATED"})");
        check_json(config(R"(,"tool_choice":"none")"), R"({"mode":"NONE"})");
        check_json(config(R"(,"tool_choice":"required")"), R"({"mode":"ANY"})");
        check_json(config(R"(,"tool_choice":{"type":"function","function":{"name":"g"}})"),
                   R"({"mode":"ANY","allowedFunctionNames":["g"]})");
        check_json(config(R"(,"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":)"
                          R"([{"type":"function","function":{"name":"f"}}]}})"),
                   R"({"mode":"ANY","allowedFunctionNames":["f"]})");
        const json::value filtered = body_of(
            with(R"("tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"g"}}],)"
                 R"("tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":)"
                 R"([{"type":"function","function":{"name":"g"}}]}})"));
        check_json(filtered.at("tools"), R"([{"functionDeclarations":[{"name":"g"}]}])");
        check_json(body_of(with(R"("web_search_options":{})")).at("tools"), R"([{"googleSearch":{}}])");
    }

    TEST_CASE("thinking is told in the words of the model") {
        struct row {
            std::string_view model;
            std::string_view fields;
            std::string_view config;  // empty: none
        };
        const row rows[] = {
            {"gemini-3-pro-preview", R"("reasoning_effort":"low")",
             R"({"thinkingLevel":"LOW","includeThoughts":true})"},
            {"gemini-3-pro-preview", R"("reasoning_effort":"medium")",
             R"({"thinkingLevel":"HIGH","includeThoughts":true})"},
            {"gemini-3.8-flash", R"("reasoning_effort":"minimal")",
             R"({"thinkingLevel":"MINIMAL","includeThoughts":true})"},
            {"gemini-3.8-flash", R"("reasoning_effort":"none")", R"({"thinkingLevel":"MINIMAL"})"},
            {"gemini-4-argon", R"("reasoning_effort":"minimal")", R"({"thinkingLevel":"LOW","includeThoughts":true})"},
            {"gemini-4-hydrogen", R"("reasoning_effort":"xhigh")",
             R"({"thinkingLevel":"XHIGH","includeThoughts":true})"},
            {"gemini-4-argon", R"("max_tokens":100)", ""},
            {"gemini-2.5-flash", R"("reasoning_effort":"medium")", R"({"thinkingBudget":8192,"includeThoughts":true})"},
            {"gemini-2.5-flash", R"("reasoning_effort":"none")", R"({"thinkingBudget":0})"},
            {"gemini-2.5-pro", R"("reasoning_effort":"none")", R"({"thinkingBudget":128,"includeThoughts":true})"},
            {"gemini-2.5-flash", R"("reasoning_effort":"high","max_tokens":3000)",
             R"({"thinkingBudget":1500,"includeThoughts":true})"},
            {"gemini-2.5-flash", R"("max_tokens":3000)", R"({"thinkingBudget":1500})"},
            {"gemini-2.5-flash", R"("max_tokens":60000)", ""},
            {"gemini-2.5-flash-lite", R"("max_tokens":3000)", ""},
            {"gemini-2.0-flash", R"("reasoning_effort":"high")", ""},
            {"gemini-3-pro-preview", R"("extra_body":{"google":{"thinking_config":{"thinking_budget":5}}})",
             R"({"thinking_budget":5})"},
        };
        for (const row& r : rows) {
            INFO(r.model << " " << r.fields);
            const json::value config = config_of(r.fields, r.model);
            const json::value* const found = config.as_object().if_contains("thinkingConfig");
            CHECK((found != nullptr) == !r.config.empty());
            if (found != nullptr) {
                check_json(*found, r.config);
            }
        }
    }

    TEST_CASE("answers in JSON are asked for as the model can be asked") {
        check_json(config_of(R"("response_format":{"type":"json_object"})"),
                   R"({"responseMimeType":"application/json"})");
        const std::string format =
            R"("response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object",)"
            R"("properties":{"a":{"type":"integer"}},"additionalProperties":false}}})";
        check_json(config_of(format), R"({"responseMimeType":"application/json","responseSchema":)"
                                      R"({"type":"object","properties":{"a":{"type":"integer"}}}})");
        const std::string tools = R"(,"tools":[{"type":"function","function":{"name":"f"}}])";
        const json::value older = body_of(with(format + tools), "gemini-2.5-flash");
        CHECK(!older.as_object().contains("generationConfig"));
        CHECK(older.at("systemInstruction").at("parts").at(0).at("text").as_string().find("\"integer\"") !=
              std::string::npos);
        CHECK(config_of(format + tools).as_object().contains("responseSchema"));
    }

    TEST_CASE("limits, sampling and the rest keep their values") {
        check_json(
            config_of(R"("max_tokens":5,"max_completion_tokens":7,"temperature":0.20,"top_p":1,"top_k":40,"n":2,)"
                      R"("seed":-3,"stop":["a",""],"logprobs":true,"top_logprobs":3,"modalities":["image","text"])"),
            R"({"maxOutputTokens":7,"temperature":0.2,"topP":1,"topK":40,"candidateCount":2,"seed":-3,)"
            R"("stopSequences":["a"],"responseLogprobs":true,"logprobs":3,"responseModalities":["TEXT","IMAGE"]})");
        const auto made =
            translate(with(R"("seed":99999999999,"presence_penalty":1,"frequency_penalty":0,"user":"u",)"
                           R"("logit_bias":{},"metadata":null,"service_tier":"scale","bad name\u0000":1)"));
        REQUIRE(made.has_value());
        auto dropped = made->dropped;
        std::sort(dropped.begin(), dropped.end());
        CHECK(dropped == std::vector<std::string>{"logit_bias", "presence_penalty", "seed", "service_tier", "user"});
        const json::value rest =
            body_of(with(R"("safety_settings":[{"category":"c","threshold":"t"}],"service_tier":"flex")"));
        check_json(rest.at("safetySettings"), R"([{"category":"c","threshold":"t"}])");
        CHECK(rest.at("serviceTier").as_string() == "flex");
        CHECK(config_of(R"("presence_penalty":0.5)", "gemini-2.0-flash").at("presencePenalty").as_double() == 0.5);
    }
}
