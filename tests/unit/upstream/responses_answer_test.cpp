#include "upstream/responses_answer.hpp"

#include "tests/support/translation.hpp"
#include "upstream/plain_request.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace concurred;

namespace {

std::string event(std::string_view name, std::string_view rest) {
    return "event: " + std::string(name) + "\ndata: {\"type\":\"" + std::string(name) + "\"" + std::string(rest) +
           "}\n\n";
}

std::unique_ptr<upstream::answer_translator> translator() {
    return std::make_unique<upstream::responses_answer>();
}

constexpr std::string_view usage =
    R"("usage":{"input_tokens":30,"input_tokens_details":{"cached_tokens":10},"output_tokens":9,)"
    R"("output_tokens_details":{"reasoning_tokens":4},"total_tokens":39})";

}  // namespace

TEST_SUITE("upstream/responses_answer") {
    TEST_CASE("a stream goes on byte for byte, and its figures are read") {
        const std::string stream = event("response.created", R"(,"response":{"usage":null})") + ": comment\r\n\r\n" +
                                   event("response.output_text.delta", R"(,"delta":"Hi \u00e9")") +
                                   event("response.completed", ",\"response\":{" + std::string(usage) + "}");
        const auto t = translator();
        const auto got = test::translate_stream(*t, stream);
        CHECK(got.text == stream);
        CHECK(got.done);
        REQUIRE(got.usage);
        CHECK(got.usage->prompt == 20);
        CHECK(got.usage->cache_read == 10);
        CHECK(got.usage->completion == 5);
        CHECK(got.usage->reasoning == 4);
        CHECK(got.octets == 5);
        test::check_cuts(translator, stream);
    }

    TEST_CASE("a failure is told as an error, whatever its form") {
        for (const std::string& stream :
             {event("error", R"(,"code":"rate_limit_exceeded","message":"slow")"),
              event("response.failed", R"(,"response":{"error":{"code":"server_error","message":"down"}})"),
              std::string("data: {\"error\":{\"message\":\"no\"}}\n\n")}) {
            const auto t = translator();
            const auto got = test::translate_stream(*t, event("response.created", "") + stream);
            CHECK(!got.error.empty());
            CHECK(!got.done);
            CHECK(!got.content_seen);
        }
    }

    TEST_CASE("a stream that is cut is not whole") {
        const auto t = translator();
        CHECK(!test::translate_stream(*t, event("response.output_text.delta", R"(,"delta":"Hi")")).done);
    }

    TEST_CASE("a whole answer goes on as it is") {
        const auto t = translator();
        const std::string body = R"({ "id":"r", "error":null, "output":[], )" + std::string(usage) + "}";
        const auto got = t->whole(body);
        REQUIRE(got.has_value());
        CHECK(*got == body);
        CHECK(t->usage()->completion == 5);
        CHECK(translator()->whole("[]").has_error());
        CHECK(translator()->whole(R"({"error":{"message":"x"}})").has_error());
    }

    TEST_CASE("of a request only what says where it goes is read") {
        using upstream::plain_endpoint;
        const auto good = upstream::parse_plain_request(R"({"input":["a"],"model":"m\u0031","stream":true})",
                                                        plain_endpoint::embeddings);
        REQUIRE(good.has_value());
        CHECK(good->model() == "m1");
        CHECK(good->stream);
        CHECK(upstream::parse_plain_request(R"({"model":"m"})", plain_endpoint::responses).has_value());
        const std::pair<const char*, const char*> rows[] = {
            {R"({"model":"m"})", "input"},
            {R"({"input":"a"})", "model"},
            {R"({"model":7,"input":1})", "model"},
            {R"({"model":"a","model":"b","input":1})", "model"},
            {R"({"Model":"a","input":1})", "model"},
            {R"({"model":"a","stream":1,"input":1})", "stream"},
            {R"([])", ""},
            {R"({"model":"a")", ""},
        };
        for (const auto& [body, param] : rows) {
            const auto refused = upstream::parse_plain_request(body, plain_endpoint::embeddings);
            REQUIRE(refused.has_error());
            CHECK(refused.error().param == param);
            CHECK(base::status_of(refused.error()) == 400);
        }
    }
}
