#include "tests/support/fixture_files.hpp"
#include "tests/support/translation.hpp"
#include "upstream/dialect.hpp"
#include "upstream/provider_error.hpp"

#include <doctest/doctest.h>
#include <boost/json.hpp>

#include <filesystem>
#include <string>

using namespace concurred;
namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

const upstream::dialect& dialect_named(std::string_view provider) {
    return provider == "x-ai"      ? upstream::x_ai_dialect()
           : provider == "minimax" ? upstream::minimax_dialect()
                                   : upstream::openrouter_dialect();
}

std::unique_ptr<upstream::answer_translator> translator(std::string_view provider, bool include_usage = true) {
    return dialect_named(provider).answer(
        "{}", {.upstream_model = "m", .answer_model = "m", .stream = true, .include_usage = include_usage});
}

struct sample {
    std::string provider;
    fs::path path;
};

std::vector<sample> samples(std::string_view extension) {
    std::vector<sample> found;
    for (const fs::path& root : {fs::path("tests/fixtures"), test::third_party_fixtures()}) {
        for (const char* const provider : {"x-ai", "openrouter", "minimax"}) {
            if (root.empty() || !fs::is_directory(root / provider)) {
                continue;
            }
            for (const auto& entry : fs::directory_iterator(root / provider)) {
                const std::string name = entry.path().filename().string();
                if (name.ends_with(extension) && name.find(".expected.") == std::string::npos) {
                    found.push_back({provider, entry.path()});
                }
            }
        }
    }
    return found;
}

fs::path expected_path(const fs::path& input, std::string_view extension) {
    return input.parent_path() / (input.stem().string() + ".expected" + std::string(extension));
}

base::error error_in(std::string_view provider, std::string_view body) {
    return upstream::error_from_answer({.status = 200, .body = body, .provider = provider}, base::wall_time());
}

void check_error(const base::error& e, const json::value& expected) {
    CHECK(base::status_of(e) == expected.at("status").as_int64());
    const json::value& body = expected.at("body").at("error");
    CHECK(e.message == body.at("message").as_string().c_str());
    if (body.at("code").is_string()) {
        CHECK(e.upstream_code == body.at("code").as_string().c_str());
    }
    CHECK((e.retry == base::retry_class::safe) == expected.at("retryable").as_bool());
}

std::string event(std::string_view data) {
    return "data: " + std::string(data) + "\n\n";
}

std::string chunk(std::string_view choice, std::string_view rest = "") {
    return event(R"({"id":"a","object":"chat.completion.chunk","created":7,"model":"m","choices":[)" +
                 std::string(choice) + "]" + std::string(rest) + "}");
}

std::string content_of(const test::translation& t, const char* member) {
    std::string text;
    for (const json::value& e : test::events_of(t.text)) {
        if (e.is_object() && !e.at("choices").as_array().empty()) {
            const json::object& delta = e.at("choices").at(0).at("delta").as_object();
            if (const json::value* const piece = delta.if_contains(member); piece != nullptr && piece->is_string()) {
                text += piece->as_string().c_str();
            }
        }
    }
    return text;
}

}  // namespace

TEST_SUITE("upstream/family_answer") {
    TEST_CASE("every stream of the fixtures comes out as expected, however it is cut") {
        for (const auto& [provider, path] : samples(".sse")) {
            INFO(path.string());
            const std::string stream = test::read_file(path);
            const auto t = translator(provider);
            const test::translation got = test::translate_stream(*t, stream);
            test::check_cuts([&p = provider] { return translator(p); }, stream);
            if (fs::exists(expected_path(path, ".expected.json")) || path.filename() == "error-first-event.sse") {
                if (!got.error.empty() && !got.content_seen) {
                    check_error(error_in(provider, got.error),
                                json::parse(test::read_file(expected_path(path, ".json"))));
                    continue;
                }
            }
            const std::string expected = test::read_file(expected_path(path, ".sse"));
            const std::size_t last = expected.find("data: {\"error\"");
            if (last != std::string::npos) {
                CHECK(error_in(provider, got.error).upstream_code == "upstream_unavailable");
                test::check_stream(got.text, std::string_view(expected).substr(0, last), false);
                continue;
            }
            CHECK(got.done);
            test::check_stream(got.text, expected, false);
        }
    }

    TEST_CASE("every whole answer of the fixtures comes out as expected") {
        for (const auto& [provider, path] : samples(".json")) {
            INFO(path.string());
            json::value input = json::parse(test::read_file(path));
            const json::value expected = json::parse(test::read_file(expected_path(path, ".json")));
            if (input.as_object().contains("body")) {
                if (input.at("status").as_int64() != 200) {
                    continue;  // an HTTP error: see the test of provider_error
                }
                const auto got = translator(provider)->whole(json::serialize(input.at("body")));
                REQUIRE(got.has_error());
                check_error(got.error(), expected);
                continue;
            }
            const auto got = translator(provider)->whole(test::read_file(path));
            REQUIRE(got.has_value());
            const bool same = json::parse(*got) == expected;
            CHECK_MESSAGE(same, *got << "\n  expected\n" << json::serialize(expected));
        }
    }

    TEST_CASE("what the provider charges is known") {
        const auto x_ai = translator("x-ai");
        const std::string usage =
            R"(,"usage":{"prompt_tokens":12,"completion_tokens":2,"total_tokens":354,"completion_tokens_details":)"
            R"({"reasoning_tokens":340},"cost_in_usd_ticks":1721250})";
        (void)test::translate_stream(*x_ai, chunk("", usage));
        CHECK(x_ai->cost_nano_usd() == 172'125);
        CHECK(x_ai->usage()->reasoning == 340);
        CHECK(x_ai->usage()->completion == 2);
        const auto router = translator("openrouter");
        (void)router->whole(R"({"id":"a","choices":[{"message":{"content":"x"},"finish_reason":"stop"}],"usage":)"
                            R"({"prompt_tokens":1,"completion_tokens":1,"total_tokens":2,"cost":0.000412}})");
        CHECK(router->cost_nano_usd() == 412'000);
        const auto own_key = translator("openrouter");
        (void)own_key->whole(R"({"choices":[{"message":{"content":"x"}}],"usage":{"prompt_tokens":1,)"
                             R"("completion_tokens":1,"cost":0.00001,"is_byok":true,"cost_details":)"
                             R"({"upstream_inference_cost":0.0002}}})");
        CHECK(own_key->cost_nano_usd() == 200'000);
    }

    TEST_CASE("reasoning is added to the completion only when the sum says that it stands beside it") {
        const auto t = translator("x-ai");
        const auto got = test::translate_stream(
            *t, chunk(R"({"index":0,"delta":{"content":"x"},"finish_reason":"stop"})") +
                    chunk("", R"(,"usage":{"prompt_tokens":10,"completion_tokens":50,"total_tokens":60,)"
                              R"("completion_tokens_details":{"reasoning_tokens":40}})"));
        CHECK(got.text.find(R"("completion_tokens":50)") != std::string::npos);
        CHECK(got.usage->completion == 10);
    }

    TEST_CASE("an error that comes in a body with status 200 is one") {
        for (const char* const body : {R"({"code":"The service is currently unavailable","error":"down"})",
                                       R"({"error":{"code":503,"message":"down"}})"}) {
            const auto got = translator("x-ai")->whole(body);
            REQUIRE(got.has_error());
            CHECK(base::status_of(got.error()) == 503);
            CHECK(got.error().retry == base::retry_class::safe);
        }
        CHECK(base::status_of(translator("x-ai")->whole("<html>").error()) == 502);
        CHECK(base::status_of(translator("minimax")->whole(R"({"choices":null})").error()) == 502);
    }

    TEST_CASE("a usage chunk that repeats the choice says it once") {
        const auto t = translator("openrouter");
        const auto got = test::translate_stream(
            *t, chunk(R"({"index":0,"delta":{"role":"assistant","content":"x"},"finish_reason":null})") +
                    chunk(R"({"index":0,"delta":{"role":"assistant","content":""},"finish_reason":"stop"})") +
                    chunk(R"({"index":0,"delta":{"role":"assistant","content":""},"finish_reason":"stop"})",
                          R"(,"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2})") +
                    event("[DONE]"));
        const auto events = test::events_of(got.text);
        REQUIRE(events.size() == 4);
        CHECK(events[1].at("choices").at(0).at("finish_reason").as_string() == "stop");
        CHECK(events[2].at("choices").as_array().empty());
        CHECK(events[2].at("usage").at("total_tokens").as_int64() == 2);
    }

    TEST_CASE("tool calls without index or with ids that repeat become distinct calls") {
        const auto t = translator("openrouter");
        const auto got = test::translate_stream(
            *t, chunk(R"({"delta":{"tool_calls":[{"id":"","function":{"name":"f","arguments":"{\"a\""}}]}})") +
                    chunk(R"({"delta":{"tool_calls":[{"function":{"arguments":":1}"}}]}})") +
                    chunk(R"({"delta":{"tool_calls":[{"id":"x","function":{"name":"g","arguments":{"b": 2}}}]}})") +
                    chunk(R"({"delta":{"tool_calls":[{"id":"x","function":{"name":"h"}}]},"finish_reason":"stop"})") +
                    event("[DONE]"));
        const auto events = test::events_of(got.text);
        REQUIRE(events.size() == 6);
        const auto call = [&](std::size_t i) {
            return events[i].at("choices").at(0).at("delta").at("tool_calls").at(0);
        };
        CHECK(call(0).at("index").as_int64() == 0);
        CHECK(call(0).at("id").as_string().starts_with("call_"));
        CHECK(call(1).at("index").as_int64() == 0);
        CHECK(!call(1).as_object().contains("id"));
        CHECK(call(2).at("id").as_string() == "x");
        CHECK(call(2).at("function").at("arguments").as_string() == R"({"b":2})");
        CHECK(call(3).at("index").as_int64() == 2);
        CHECK(call(3).at("id").as_string() != "x");
        CHECK(call(3).at("function").at("arguments").as_string().empty());
        CHECK(events[4].at("choices").at(0).at("finish_reason").as_string() == "tool_calls");
    }

    TEST_CASE("MiniMax's last frame repeats nothing, and its missing [DONE] is made up") {
        const auto t = translator("minimax");
        const std::string stream =
            chunk(R"({"index":0,"delta":{"role":"assistant","content":"Hel"}})",
                  R"(,"usage":{"total_tokens":0,"total_characters":0})") +
            chunk(R"({"index":0,"delta":null})") + chunk(R"({"index":0,"delta":{"role":"","content":"lo"}})") +
            event(R"({"id":"a","object":"chat.completion","created":7,"model":"m","choices":[{"index":0,)"
                  R"("message":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}],)"
                  R"("usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5,"total_characters":9}})");
        const auto got = test::translate_stream(*t, stream);
        CHECK(content_of(got, "content") == "Hello");
        CHECK(got.done);
        CHECK(got.text.ends_with("data: [DONE]\n\n"));
        CHECK(got.text.find("total_characters") == std::string::npos);
        CHECK(got.usage->completion == 2);
        test::check_cuts([] { return translator("minimax"); }, stream);
    }

    TEST_CASE("a stream without an end is not whole") {
        const auto t = translator("x-ai");
        const auto got = test::translate_stream(*t, chunk(R"({"index":0,"delta":{"content":"x"}})"));
        CHECK(!got.done);
        CHECK(got.text.find("[DONE]") == std::string::npos);
    }

    TEST_CASE("data in several lines goes out as one") {
        const auto t = translator("x-ai");
        const auto got = test::translate_stream(
            *t,
            "data: {\"id\":\"a\",\"choices\":[\ndata: {\"index\":0,\"delta\":{\"content\":\"x\"},\ndata: "
            "\"finish_reason\":\"stop\"}]}\n\n");
        CHECK(content_of(got, "content") == "x");
        CHECK(got.done);
    }
}
