#include "upstream/openai_fixes.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace concurred;

namespace {

std::string sent(std::string_view provider, std::string_view model, const std::string& body) {
    const auto request = upstream::parse_chat_request(body);
    REQUIRE(request.has_value());
    std::string scratch;
    return upstream::splice_body(body, *request, model, request->stream, scratch,
                                 upstream::openai_fixes(provider, model, *request))
        .joined();
}

std::string body(std::string_view model, std::string_view fields) {
    return R"({"model":")" + std::string(model) + R"(","messages":[{}],)" + std::string(fields) + "}";
}

}  // namespace

TEST_SUITE("upstream/openai_fixes") {
    TEST_CASE("the old name of the limit is replaced for models that refuse it") {
        for (const char* const model : {"gpt-5", "gpt-5-mini", "gpt-5.2-2025-12-11", "gpt-6-sol", "o1", "o4-mini"}) {
            CHECK(sent("openai", model, body(model, R"("max_tokens": 5)")) ==
                  body(model, R"("max_completion_tokens": 5)"));
        }
        const std::string both = body("gpt-5", R"("max_tokens":5,"max_completion_tokens":6)");
        CHECK(sent("openai", "gpt-5", both) == both);
        for (const char* const model : {"gpt-4.1", "gpt-4o", "chatgpt-4o-latest", "gpt-oss-120b", "omni"}) {
            const std::string same = body(model, R"("max_tokens":5)");
            CHECK(sent("openai", model, same) == same);
        }
        const std::string elsewhere = body("gpt-5", R"("max_tokens":5)");
        CHECK(sent("local", "gpt-5", elsewhere) == elsewhere);
    }

    TEST_CASE("tools without a word on effort turn reasoning off where both are refused") {
        const std::string tools = R"("tools":[{"type":"function"}])";
        CHECK(sent("openai", "gpt-5.6-sol", body("gpt-5.6-sol", tools)) ==
              body("gpt-5.6-sol", tools + R"(,"reasoning_effort":"none")"));
        CHECK(sent("openai", "gpt-6-luna", body("gpt-6-luna", tools + R"(,"stream":true)")) ==
              body("gpt-6-luna",
                   tools + R"(,"stream":true,"stream_options":{"include_usage":true},"reasoning_effort":"none")"));
        for (const std::string& fields :
             {tools + R"(,"reasoning_effort":"high")", std::string(R"("tools":[])"), std::string(R"("tools":null)")}) {
            const std::string same = body("gpt-5.6-sol", fields);
            CHECK(sent("openai", "gpt-5.6-sol", same) == same);
        }
        const std::string older = body("gpt-5.2", tools);
        CHECK(sent("openai", "gpt-5.2", older) == older);
    }
}
