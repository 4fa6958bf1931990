#include "upstream/strict_answer.hpp"

#include "tests/support/translation.hpp"
#include "upstream/dialect.hpp"
#include "upstream/provider_error.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace concurred;

namespace {

constexpr std::string_view tools =
    R"([{"type":"function","function":{"name":"f","strict":true,"parameters":{"type":"object","properties":)"
    R"({"a":{"type":"integer"}},"required":["a"],"additionalProperties":false}}},)"
    R"({"type":"function","function":{"name":"loose","parameters":{"type":"object","required":["z"]}}}])";

std::unique_ptr<upstream::answer_translator> translator() {
    return std::make_unique<upstream::strict_answer>(
        upstream::x_ai_dialect().answer("{}", {.upstream_model = "m", .answer_model = "m", .stream = true}), tools);
}

std::string chunk(std::string_view delta, std::string_view finish = "null") {
    return R"(data: {"id":"a","object":"chat.completion.chunk","created":7,"model":"m","choices":[{"index":0,"delta":{)" +
           std::string(delta) + R"(},"finish_reason":)" + std::string(finish) + "}]}\n\n";
}

std::string call(unsigned index, std::string_view name, std::string_view arguments) {
    return chunk(R"("tool_calls":[{"index":)" + std::to_string(index) + R"(,"id":"c)" + std::to_string(index) +
                 R"(","type":"function","function":{"name":")" + std::string(name) + R"(","arguments":")" +
                 std::string(arguments) + R"("}}])");
}

std::string more(std::string_view arguments) {
    return chunk(R"("tool_calls":[{"index":0,"function":{"arguments":")" + std::string(arguments) + R"("}}])");
}

const std::string role = chunk(R"("role":"assistant","content":"")");
const std::string end = chunk("", R"("tool_calls")") + "data: [DONE]\n\n";

}  // namespace

TEST_SUITE("upstream/strict_answer") {
    TEST_CASE("calls that fit go on as they are, once they are whole") {
        const std::string stream = role + chunk(R"("content":"so")") + call(0, "f", R"({\"a\":)") + more("1}") + end;
        const auto plain =
            upstream::x_ai_dialect().answer("{}", {.upstream_model = "m", .answer_model = "m", .stream = true});
        const auto t = translator();
        const auto got = test::translate_stream(*t, stream);
        CHECK(got.text == test::translate_stream(*plain, stream).text);
        CHECK(got.done);
        test::check_cuts(translator, stream);

        const auto half = translator();
        std::string out;
        half->feed(role + call(0, "f", R"({\"a\":)"), out);
        CHECK(out.find("tool_calls") == std::string::npos);
        CHECK(!half->content_seen());  // so the model can still be asked again
    }

    TEST_CASE("a call that its schema forbids is an error that may be tried again") {
        for (const auto& [name, arguments] :
             {std::pair{"f", R"({\"a\":\"x\"})"}, std::pair{"f", "{}"}, std::pair{"f", "broken"}}) {
            const auto t = translator();
            const auto got = test::translate_stream(*t, role + call(0, name, arguments) + end);
            CHECK(!got.done);
            CHECK(!got.content_seen);
            CHECK(got.text.find("tool_calls") == std::string::npos);
            const base::error e =
                upstream::error_from_answer({.status = 200, .body = got.error, .provider = "x-ai"}, base::wall_time());
            CHECK(base::status_of(e) == 400);
            CHECK(e.upstream_code == "tool_call_invalid_arguments");
            CHECK(e.retry == base::retry_class::safe);
        }
    }

    TEST_CASE("tools that are not strict are not looked at") {
        const auto t = translator();
        const auto got = test::translate_stream(*t, role + call(0, "loose", "{}") + end);
        CHECK(got.done);
        CHECK(got.text.find("loose") != std::string::npos);
    }

    TEST_CASE("whole answers are held to the same") {
        const auto answer = [](std::string_view arguments) {
            return R"({"id":"a","choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":)"
                   R"("c","type":"function","function":{"name":"f","arguments":")" +
                   std::string(arguments) + R"("}}]},"finish_reason":"tool_calls"}]})";
        };
        CHECK(translator()->whole(answer(R"({\"a\":1})")).has_value());
        const auto refused = translator()->whole(answer(R"({\"b\":1})"));
        REQUIRE(refused.has_error());
        CHECK(refused.error().upstream_code == "tool_call_invalid_arguments");
        CHECK(refused.error().message.find("/a is required") != std::string::npos);
    }
}
