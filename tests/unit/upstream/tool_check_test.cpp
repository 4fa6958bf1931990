#include "upstream/tool_check.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace concurred;

namespace {

constexpr std::string_view hello = R"([{"role":"user","content":"x"}])";

std::string body(std::string_view fields, std::string_view messages = hello) {
    return R"({"model":"m","messages":)" + std::string(messages) + (fields.empty() ? "" : ",") + std::string(fields) +
           "}";
}

std::string function(std::string_view inside) {
    return R"({"type":"function","function":{)" + std::string(inside) + "}}";
}

/// Code and parameter of what is wrong; empty: nothing.
std::string verdict(const std::string& text) {
    const auto request = upstream::parse_chat_request(text);
    REQUIRE(request.has_value());
    const auto checked = upstream::check_tools(*request);
    if (checked.has_value()) {
        return {};
    }
    CHECK(base::status_of(checked.error()) == 400);
    return checked.error().upstream_code + " " + checked.error().param;
}

}  // namespace

TEST_SUITE("upstream/tool_check") {
    TEST_CASE("tools that can be used pass") {
        CHECK(verdict(body("")).empty());
        CHECK(verdict(body(R"("tools":null,"tool_choice":"auto")")).empty());
        CHECK(verdict(body(R"("tools":[)" + function(R"("name":"a-B_9","parameters":{"type":"object"},"strict":true)") +
                           R"(,{"type":"custom","custom":{"name":"c"}}],"tool_choice":"required")"))
                  .empty());
        CHECK(verdict(body(R"("tools":[)" + function(R"("name":"f")") +
                           R"(],"tool_choice":{"type":"function","function":{"name":"f"}})"))
                  .empty());
        CHECK(verdict(body(R"("tools":[)" + function(R"("name":"f")") +
                           R"(],"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[)" +
                           function(R"("name":"f")") + "]}}"))
                  .empty());
    }

    TEST_CASE("each fault has the code and the place that the API documents") {
        const std::string f = function(R"("name":"f")");
        std::string many;
        for (int i = 0; i < 129; ++i) {
            many += (i == 0 ? "" : ",") + function("\"name\":\"f" + std::to_string(i) + "\"");
        }
        const std::pair<std::string, std::string> rows[] = {
            {R"("tools":{})", "tool_schema_invalid tools"},
            {R"("tools":[)" + many + "]", "tool_schema_invalid tools"},
            {R"("tools":[{"type":"magic"}])", "tool_schema_invalid tools[0].type"},
            {R"("tools":[)" + f + "," + function(R"("name":"bad name")") + "]",
             "tool_schema_invalid tools[1].function.name"},
            {R"("tools":[)" + function(R"("name":")" + std::string(65, 'a') + "\"") + "]",
             "tool_schema_invalid tools[0].function.name"},
            {R"("tools":[)" + f + "," + f + "]", "tool_schema_invalid tools[1].function.name"},
            {R"("tools":[)" + function(R"("name":"f","parameters":[])") + "]",
             "tool_schema_invalid tools[0].function.parameters"},
            {R"("tools":[)" + function(R"("name":"f","parameters":{"type":"string"})") + "]",
             "tool_schema_invalid tools[0].function.parameters"},
            {R"("tools":[)" + function(R"("name":"f","parameters":{"type":"object","properties":7})") + "]",
             "tool_schema_invalid tools[0].function.parameters"},
            {R"("tool_choice":"required")", "tool_choice_invalid tool_choice"},
            {R"("tools":[)" + f + R"(],"tool_choice":"maybe")", "tool_choice_invalid tool_choice"},
            {R"("tools":[)" + f + R"(],"tool_choice":{"type":"function","function":{"name":"g"}})",
             "tool_choice_invalid tool_choice"},
            {R"("tools":[)" + f + R"(],"tool_choice":7)", "tool_choice_invalid tool_choice"},
        };
        for (const auto& [fields, expected] : rows) {
            INFO(fields);
            CHECK(verdict(body(fields)) == expected);
        }
    }

    TEST_CASE("the message is the documented one") {
        const std::string text = body(R"("tools":[)" + function(R"("name":"f","parameters":{"properties":{}})") + "]");
        const auto request = upstream::parse_chat_request(text);
        const auto checked = upstream::check_tools(*request);
        REQUIRE(checked.has_error());
        CHECK(checked.error().message == "tools[0].function.parameters.type must be 'object' at the root.");
    }

    TEST_CASE("a result needs a call before it") {
        const std::string call = R"({"role":"assistant","tool_calls":[{"id":"a","type":"function","function":)"
                                 R"({"name":"f","arguments":"{}"}}]})";
        const std::string result = R"({"role":"tool","tool_call_id":"a","content":"x"})";
        CHECK(verdict(body("", "[" + call + "," + result + "]")).empty());
        CHECK(verdict(body("", "[" + result + "," + call + "]")) == "tool_call_id_mismatch messages[0].tool_call_id");
        CHECK(verdict(body("", "[" + call + R"(,{"role":"tool","tool_call_id":"b","content":"x"}])")) ==
              "tool_call_id_mismatch messages[1].tool_call_id");
    }

    TEST_CASE("models that are known to have no tools say so") {
        const std::string text = body(R"("tools":[)" + function(R"("name":"f")") + "]");
        const auto request = upstream::parse_chat_request(text);
        const auto refused = upstream::check_tools_for(*request, "deepseek/deepseek-r1-0528");
        REQUIRE(refused.has_error());
        CHECK(refused.error().upstream_code == "tool_unsupported_for_model");
        CHECK(upstream::check_tools_for(*request, "deepseek/deepseek-v3.2").has_value());
        const std::string plain = body("");
        CHECK(upstream::check_tools_for(*upstream::parse_chat_request(plain), "deepseek-reasoner").has_value());
    }
}
