#include "upstream/chat_request.hpp"

#include "tests/support/fixture_files.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace concurred;
using upstream::chat_request;
using upstream::parse_chat_request;

namespace {

/// A request with one more member.
std::string with(std::string_view member) {
    return R"({"model":"gpt","messages":[{"role":"user","content":"hi"}],)" + std::string(member) + "}";
}

base::error error_of(std::string_view body) {
    const auto parsed = parse_chat_request(body);
    REQUIRE(parsed.has_error());
    return parsed.error();
}

}  // namespace

TEST_SUITE("upstream/chat_request") {
    TEST_CASE("the fields the gateway reads are found, in any order and among others") {
        const std::string body = R"( {
            "temperature": 0.7, "stream" : true, "messages":[{"role":"user","content":"\"model\":\"no\""}],
            "retries": 0, "timeout": 300000, "fallback": ["gpt", "gemini"], "load_balance": {"strategy":"random"},
            "guardrails": {"pii":true}, "prompt_id": "p", "prompt_version": 3, "prompt_variables": {"a":1},
            "model" : "gpt-5.2", "stream_options": {"include_usage" : true, "include_obfuscation": false} } )";
        const auto parsed = parse_chat_request(body);
        REQUIRE(parsed.has_value());
        const chat_request& r = *parsed;
        CHECK(r.model() == "gpt-5.2");
        CHECK(r.stream);
        CHECK(r.include_usage);
        CHECK(r.messages.starts_with("[{\"role\""));
        CHECK(r.stream_options.starts_with("{\"include_usage\""));
        CHECK(r.retries == 0U);
        CHECK(r.timeout == std::chrono::seconds(300));
        CHECK(r.fallback == R"(["gpt", "gemini"])");
        CHECK(r.load_balance == R"({"strategy":"random"})");
        CHECK(r.guardrails == R"({"pii":true})");
        CHECK(r.prompt_id == "\"p\"");
        CHECK(r.prompt_version == "3");
        CHECK(r.prompt_variables == R"({"a":1})");
        CHECK(r.cuts().size() == 8);
    }

    TEST_CASE("a plain request has the defaults") {
        const auto parsed = parse_chat_request(R"({"model":"gpt","messages":[{}]})");
        REQUIRE(parsed.has_value());
        CHECK_FALSE(parsed->stream);
        CHECK_FALSE(parsed->include_usage);
        CHECK(parsed->stream_options.empty());
        CHECK_FALSE(parsed->retries.has_value());
        CHECK_FALSE(parsed->timeout.has_value());
        CHECK(parsed->cuts().empty());
    }

    TEST_CASE("a recorded tool round trip is read") {
        const std::string body = test::fixture("requests/tools-round-trip.openai.json");
        const auto parsed = parse_chat_request(body);
        REQUIRE(parsed.has_value());
        CHECK(parsed->model() == "MODEL");
        CHECK(parsed->stream);
        CHECK(parsed->include_usage);
    }

    TEST_CASE("the model keeps its meaning when written with escapes, also after a move") {
        auto parsed = parse_chat_request(R"({"mod\u0065l":"gpt\u002d5\ud83d\ude00","messages":[1]})");
        REQUIRE(parsed.has_value());
        const chat_request moved = std::move(*parsed);
        CHECK(moved.model() == "gpt-5\xF0\x9F\x98\x80");
    }

    TEST_CASE("null means absent for optional fields") {
        const auto parsed = parse_chat_request(with(
            R"("stream":null,"stream_options":null,"retries":null,"timeout":null,"fallback":null,"guardrails":null)"));
        REQUIRE(parsed.has_value());
        CHECK_FALSE(parsed->stream);
        CHECK_FALSE(parsed->retries.has_value());
        CHECK(parsed->fallback.empty());
        CHECK(parsed->cuts().size() == 4);
    }

    TEST_CASE("what is no JSON object is refused with its place") {
        struct row {
            std::string_view body;
            std::string_view message;
        };
        const row rows[] = {
            {"", "The body is empty: send a JSON object."},
            {" \r\n", "The body is empty: send a JSON object."},
            {"[]", "The body must be a JSON object."},
            {"\"model\"", "The body must be a JSON object."},
            {"model=gpt", "The body is not valid JSON: line 1, column 1: expected a value."},
            {"{\"model\":\"gpt\",\n\"messages\":[}",
             "The body is not valid JSON: line 2, column 13: expected a value."},
            {"{\"model\":\"gpt\" // comment\n}", "The body is not valid JSON: line 1, column 16: expected ',' or '}'."},
            {"\xEF\xBB\xBF{}", "The body is not valid JSON: line 1, column 1: a byte order mark is not allowed."},
            {"{\"a\":\"\\ud800\"}",
             "The body is not valid JSON: line 1, column 7: an escape of half a surrogate pair."},
        };
        for (const row& r : rows) {
            INFO(r.body);
            const base::error e = error_of(r.body);
            CHECK(e.code == base::errc::bad_request);
            CHECK(e.message == r.message);
            CHECK(e.source == base::error_source::client);
        }
    }

    TEST_CASE("required fields are named when missing") {
        for (const auto& [body, field] :
             {std::pair{"{\"messages\":[1]}", "model"}, std::pair{"{\"model\":\"a\"}", "messages"}}) {
            const base::error e = error_of(body);
            CHECK(e.code == base::errc::missing_required_field);
            CHECK(e.param == field);
            CHECK(e.details == "{\"field\":\"" + std::string(field) + "\"}");
        }
    }

    TEST_CASE("wrong types and ranges are refused by name") {
        struct row {
            std::string body;
            std::string_view field;
            std::string_view message;
        };
        const row rows[] = {
            {R"({"model":1,"messages":[1]})", "model", "'model' must be a non-empty string."},
            {R"({"model":null,"messages":[1]})", "model", "'model' must be a non-empty string."},
            {R"({"model":"","messages":[1]})", "model", "'model' must be a non-empty string."},
            {R"({"model":"a","messages":[]})", "messages", "'messages' must be a non-empty array of messages."},
            {R"({"model":"a","messages":{}})", "messages", "'messages' must be a non-empty array of messages."},
            {R"({"model":"a","messages":null})", "messages", "'messages' must be a non-empty array of messages."},
            {with(R"("stream":"true")"), "stream", "'stream' must be true or false."},
            {with(R"("stream":1)"), "stream", "'stream' must be true or false."},
            {with(R"("stream_options":[])"), "stream_options", "'stream_options' must be an object."},
            {with(R"("stream_options":{"include_usage":1})"), "stream_options.include_usage",
             "'stream_options.include_usage' must be true or false."},
            {with(R"("retries":6)"), "retries", "'retries' must be an integer from 0 to 5."},
            {with(R"("retries":-1)"), "retries", "'retries' must be an integer from 0 to 5."},
            {with(R"("retries":1.0)"), "retries", "'retries' must be an integer from 0 to 5."},
            {with(R"("retries":"1")"), "retries", "'retries' must be an integer from 0 to 5."},
            {with(R"("retries":99999999999999999999999)"), "retries", "'retries' must be an integer from 0 to 5."},
            {with(R"("timeout":0)"), "timeout", "'timeout' must be an integer from 1 to 300000 (milliseconds)."},
            {with(R"("timeout":300001)"), "timeout", "'timeout' must be an integer from 1 to 300000 (milliseconds)."},
            {with(R"("fallback":"gpt")"), "fallback", "'fallback' must be an array of at most 8 model names."},
            {with(R"("fallback":["a",1])"), "fallback", "'fallback' must be an array of at most 8 model names."},
            {with(R"("fallback":[""])"), "fallback", "'fallback' must be an array of at most 8 model names."},
            {with(R"("fallback":["1","2","3","4","5","6","7","8","9"])"), "fallback",
             "'fallback' must be an array of at most 8 model names."},
            {with(R"("load_balance":[])"), "load_balance", "'load_balance' must be an object."},
            {with(R"("guardrails":true)"), "guardrails", "'guardrails' must be an object."},
            {with(R"("prompt_variables":"x")"), "prompt_variables", "'prompt_variables' must be an object."},
            {with(R"("prompt_id":"")"), "prompt_id", "'prompt_id' must be a non-empty string."},
            {with(R"("prompt_version":0)"), "prompt_version", "'prompt_version' must be a positive integer."},
        };
        for (const row& r : rows) {
            INFO(r.body);
            const base::error e = error_of(r.body);
            CHECK(e.code == base::errc::bad_request);
            CHECK(e.param == r.field);
            CHECK(e.message == r.message);
        }
    }

    TEST_CASE("a field that is read may be given once only, however it is spelled") {  // reliability I-09
        for (const auto& [member, field] : {
                 std::pair{R"("model":"gpt")", "model"},
                 std::pair{R"("mod\u0065l":"other")", "model"},
                 std::pair{R"("\u006d\u006f\u0064\u0065\u006c":"other")", "model"},
                 std::pair{R"("messages":[1])", "messages"},
                 std::pair{R"("stream":true,"stream":false)", "stream"},
                 std::pair{R"("stream":null,"strea\u006D":true)", "stream"},
                 std::pair{R"("stream_options":null,"stream_options":null)", "stream_options"},
                 std::pair{R"("stream_options":{"include_usage":true,"include\u005fusage":false})",
                           "stream_options.include_usage"},
                 std::pair{R"("retries":1,"retries":1)", "retries"},
                 std::pair{R"("prompt_variables":{},"prompt_variables":{})", "prompt_variables"},
             }) {
            INFO(member);
            const base::error e = error_of(with(member));
            CHECK(e.code == base::errc::bad_request);
            CHECK(e.param == field);
            CHECK(e.message == "'" + std::string(field) + "' is given more than once.");
        }
        CHECK(parse_chat_request(with(R"("x":1,"x":2)")).has_value());  // not ours: the provider's business
    }

    TEST_CASE("other letter case is refused, since some decoders take it for the field") {  // reliability I-09
        for (const auto& [member, field] : {
                 std::pair{R"("Model":"other")", "model"},
                 std::pair{R"("STREAM":true)", "stream"},
                 std::pair{R"("Stream_Options":{})", "stream_options"},
                 std::pair{R"("m\u004fdel":"other")", "model"},
                 std::pair{"\"\xC5\xBFtream\":true", "stream"},        // long s
                 std::pair{"\"fallbac\xE2\x84\xAA\":[]", "fallback"},  // Kelvin sign
                 std::pair{R"("\u017ftream":true)", "stream"},
             }) {
            INFO(member);
            const base::error e = error_of(with(member));
            CHECK(e.code == base::errc::bad_request);
            CHECK(e.param == field);
        }
        CHECK(
            parse_chat_request(with(R"("models":[],"mode":1,"xodel":1,"strea\u00fc":1,"Temperature":1)")).has_value());
    }
}
