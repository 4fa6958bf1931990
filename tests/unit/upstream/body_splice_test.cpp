#include "upstream/body_splice.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace concurred::upstream;

namespace {

struct splice_result {
    std::string body;
    std::size_t pieces;
};

splice_result splice(const std::string& body, std::string_view model, bool ask_usage) {
    const auto parsed = parse_chat_request(body);
    REQUIRE(parsed.has_value());
    std::string scratch;
    const spliced_body out = splice_body(body, *parsed, model, ask_usage, scratch);
    CHECK(out.size() == out.joined().size());
    return {out.joined(), out.pieces().size()};
}

}  // namespace

TEST_SUITE("upstream/body_splice") {
    TEST_CASE("a body that needs no change is one piece") {
        for (const char* body :
             {R"( {"model" : "gpt-5.2", "messages":[1], "x":"\u00e9" } )", R"({"model":"gpt\u002d5.2","messages":[1]})",
              R"({"model":"gpt-5.2","messages":[1],"stream":true,"stream_options":{"include_usage":true}})",
              R"({"model":"gpt-5.2","messages":[1],"stream_options":{"include_usage":false}})"}) {
            const splice_result out = splice(body, "gpt-5.2", true);
            CHECK(out.body == body);
            CHECK(out.pieces == 1);
        }
    }

    TEST_CASE("the model is replaced and nothing else") {
        const splice_result out = splice(R"( { "messages":[1] , "model" : "gpt" ,"x":1} )", "openai/gpt-5.2", true);
        CHECK(out.body == R"( { "messages":[1] , "model" : "openai/gpt-5.2" ,"x":1} )");
        CHECK(out.pieces == 3);
        CHECK(splice(R"({"model":"g\u0070t","messages":[1]})", "m", false).body == R"({"model":"m","messages":[1]})");
        CHECK(splice(R"({"model":"gpt","messages":[1]})", "a\"b\n", false).body ==
              R"({"model":"a\"b\n","messages":[1]})");
    }

    TEST_CASE("gateway fields go with the right comma") {
        struct row {
            std::string body;
            std::string_view expected;
        };
        const row rows[] = {
            {R"({"retries":1,"model":"m","messages":[1]})", R"({"model":"m","messages":[1]})"},
            {R"({ "retries":1 , "timeout":5 , "model":"m","messages":[1]})", R"({ "model":"m","messages":[1]})"},
            {R"({"model":"m","retries":1,"messages":[1]})", R"({"model":"m","messages":[1]})"},
            {R"({"model":"m" , "retries":1 , "timeout":5 , "messages":[1]})", R"({"model":"m" , "messages":[1]})"},
            {R"({"model":"m","messages":[1],"retries":1})", R"({"model":"m","messages":[1]})"},
            {R"({"model":"m","messages":[1] , "retries":1 , "timeout":5 })", R"({"model":"m","messages":[1] })"},
            {R"({"fallback":[],"model":"m","retries":1,"messages":[1],"timeout":5})",
             R"({"model":"m","messages":[1]})"},
            {R"({"r\u0065tries":1,"model":"m","messages":[1]})", R"({"model":"m","messages":[1]})"},
            {"{\n  \"model\": \"m\",\n  \"retries\": 1,\n  \"messages\": [1]\n}",
             "{\n  \"model\": \"m\",\n  \"messages\": [1]\n}"},
            {R"({"fallback":[],"retries":1,"timeout":5,"load_balance":{},"model":"m","guardrails":{},"messages":[1],)"
             R"("prompt_id":"a","prompt_version":1,"prompt_variables":{}})",
             R"({"model":"m","messages":[1]})"},
        };
        for (const row& r : rows) {
            INFO(r.body);
            CHECK(splice(r.body, "m", true).body == r.expected);
        }
    }

    TEST_CASE("usage is asked for in streams") {
        struct row {
            std::string body;
            std::string_view expected;
        };
        const row rows[] = {
            {R"({"model":"m","messages":[1],"stream":true})",
             R"({"model":"m","messages":[1],"stream":true,"stream_options":{"include_usage":true}})"},
            {R"({"model":"m","messages":[1],"stream":true,"retries":1 })",
             R"({"model":"m","messages":[1],"stream":true,"stream_options":{"include_usage":true} })"},
            {R"({"retries":1,"stream":true,"model":"m","messages":[1]})",
             R"({"stream":true,"model":"m","messages":[1],"stream_options":{"include_usage":true}})"},
            {R"({"model":"m","stream_options":{},"messages":[1],"stream":true})",
             R"({"model":"m","stream_options":{"include_usage":true},"messages":[1],"stream":true})"},
            {R"({"model":"m","stream_options":{ "x" : 1 },"messages":[1],"stream":true})",
             R"({"model":"m","stream_options":{ "x" : 1,"include_usage":true },"messages":[1],"stream":true})"},
            {R"({"model":"m","stream_options":{"include_usage" : false,"x":1},"messages":[1],"stream":true})",
             R"({"model":"m","stream_options":{"include_usage" : true,"x":1},"messages":[1],"stream":true})"},
            {R"({"model":"m","stream_options":{"include_usage":null},"messages":[1],"stream":true})",
             R"({"model":"m","stream_options":{"include_usage":true},"messages":[1],"stream":true})"},
            {R"({"model":"m","stream_options":null,"messages":[1],"stream":true})",
             R"({"model":"m","stream_options":{"include_usage":true},"messages":[1],"stream":true})"},
        };
        for (const row& r : rows) {
            INFO(r.body);
            CHECK(splice(r.body, "m", true).body == r.expected);
            const bool has_gateway_field = r.body.find("retries") != std::string::npos;
            if (!has_gateway_field) {
                CHECK(splice(r.body, "m", false).body == r.body);
            }
        }
    }

    TEST_CASE("all changes at once keep the order of the rest") {
        CHECK(splice(R"({"timeout":5,"stream":true,"model":"gpt","retries":1,"messages":[1],"n":1,"guardrails":{}})",
                     "m", true)
                  .body ==
              R"({"stream":true,"model":"m","messages":[1],"n":1,"stream_options":{"include_usage":true}})");
    }
}
