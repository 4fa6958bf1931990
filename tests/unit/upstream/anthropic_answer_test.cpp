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

constexpr std::string_view plain_request = R"({"model":"claude","messages":[{"role":"user","content":"hi"}]})";

std::unique_ptr<upstream::answer_translator> translator(std::string_view request = plain_request,
                                                        std::string_view model = "claude-sonnet-4-5") {
    const upstream::translation_context context{.upstream_model = model,
                                                .answer_model = model,
                                                .stream = true,
                                                .include_usage = true,
                                                .created = 1'700'000'000};
    return upstream::anthropic_dialect().answer(request, context);
}

// The provider's answers in the repository and, where present, the recorded ones.
std::vector<fs::path> fixtures(std::string_view extension) {
    std::vector<fs::path> found;
    for (const fs::path& root : {fs::path("tests/fixtures"), test::third_party_fixtures()}) {
        if (root.empty()) {
            continue;
        }
        for (const auto& entry : fs::directory_iterator(root / "anthropic")) {
            const std::string name = entry.path().filename().string();
            if (name.ends_with(extension) && name.find(".expected.") == std::string::npos) {
                found.push_back(entry.path());
            }
        }
    }
    return found;
}

json::value expected_json(const fs::path& input) {
    return json::parse(test::read_file(input.parent_path() / (input.stem().string() + ".expected.json")));
}

std::string event(std::string_view data) {
    return "event: x\ndata: " + std::string(data) + "\n\n";
}

std::string start_event() {
    return event(R"({"type":"message_start","message":{"id":"msg_1","model":"m","usage":{"input_tokens":7,)"
                 R"("cache_read_input_tokens":5,"cache_creation_input_tokens":3,"output_tokens":1}}})");
}

std::string text_event(std::string_view text) {
    return event(R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":)" +
                 json::serialize(json::string(text)) + "}}");
}

std::string end_events(std::string_view reason, std::string_view usage) {
    return event(R"({"type":"message_delta","delta":{"stop_reason":")" + std::string(reason) + R"("},"usage":)" +
                 std::string(usage) + "}") +
           event(R"({"type":"message_stop"})");
}

}  // namespace

TEST_SUITE("upstream/anthropic_answer") {
    TEST_CASE("recorded streams come out as their expected chunks") {
        for (const fs::path& path : fixtures(".sse")) {
            CAPTURE(path.filename().string());
            const std::string expected = test::read_file(path.parent_path() / (path.stem().string() + ".expected.sse"));
            auto made = translator();
            const test::translation t = test::translate_stream(*made, test::read_file(path));
            if (path.filename() == "error-midstream.sse") {
                // The error is put into words by whoever asks; the chunks before it are the translator's.
                const std::size_t error = expected.find("data: {\"error\"");
                test::check_stream(t.text, expected.substr(0, error), false);
                CHECK(t.error.find("overloaded_error") != std::string::npos);
                CHECK_FALSE(t.done);
                continue;
            }
            test::check_stream(t.text, expected, false);
            CHECK(t.done);
            CHECK(t.error.empty());
        }
    }

    TEST_CASE("a stream cut anywhere comes out the same") {
        for (const fs::path& path : fixtures(".sse")) {
            CAPTURE(path.filename().string());
            test::check_cuts([] { return translator(); }, test::read_file(path));
        }
    }

    TEST_CASE("recorded messages come out as their expected completions") {
        unsigned count = 0;
        for (const fs::path& path : fixtures(".json")) {
            if (path.filename().string().starts_with("error-")) {
                continue;
            }
            CAPTURE(path.filename().string());
            const auto made = translator()->whole(test::read_file(path));
            REQUIRE(made.has_value());
            CHECK(json::parse(*made) == expected_json(path));
            ++count;
        }
        CHECK((count > 0 || test::third_party_fixtures().empty()));
    }

    TEST_CASE("error answers come out with the expected status, message, type and code") {
        for (const fs::path& path : fixtures(".json")) {
            if (!path.filename().string().starts_with("error-")) {
                continue;
            }
            CAPTURE(path.filename().string());
            const json::value given = json::parse(test::read_file(path));
            const json::value expected = expected_json(path);
            std::string wait;
            if (const auto* header = given.at("headers").as_object().if_contains("retry-after")) {
                wait = header->as_string();
            }
            const base::error e = upstream::error_from_answer({.status = given.at("status").to_number<unsigned>(),
                                                               .body = json::serialize(given.at("body")),
                                                               .provider = "anthropic",
                                                               .retry_after = wait},
                                                              std::chrono::system_clock::now());
            CHECK(base::status_of(e) == expected.at("status").to_number<unsigned>());
            const json::value& words = expected.at("body").at("error");
            if (e.upstream_status != 0) {
                CHECK(base::text_of(e) == words.at("message").as_string());
                CHECK(e.upstream_type == words.at("type").as_string());
                if (words.at("code").is_string()) {
                    CHECK(e.upstream_code == words.at("code").as_string());
                }
            }
            CHECK((e.retry == base::retry_class::safe) == expected.at("retryable").as_bool());
        }
    }

    TEST_CASE("usage comes in disjoint classes, as the last figures say") {
        auto made = translator();
        const auto t = test::translate_stream(
            *made, start_event() + text_event("Hi") +
                       end_events("end_turn", R"({"input_tokens":8,"cache_read_input_tokens":5,"output_tokens":20,)"
                                              R"("output_tokens_details":{"thinking_tokens":6}})"));
        REQUIRE(t.usage.has_value());
        CHECK(t.usage->prompt == 8);
        CHECK(t.usage->cache_read == 5);
        CHECK(t.usage->cache_write == 3);
        CHECK(t.usage->completion == 14);
        CHECK(t.usage->reasoning == 6);
        const auto chunks = test::events_of(t.text);
        const json::value& usage = chunks.at(chunks.size() - 2).at("usage");
        CHECK(usage.at("prompt_tokens").as_int64() == 16);
        CHECK(usage.at("completion_tokens").as_int64() == 20);
        CHECK(usage.at("total_tokens").as_int64() == 36);
        CHECK(usage.at("prompt_tokens_details").at("cached_tokens").as_int64() == 5);
        CHECK(usage.at("completion_tokens_details").at("reasoning_tokens").as_int64() == 6);
    }

    TEST_CASE("tokens that are kept for an hour are told apart") {
        auto made = translator();
        const auto t = test::translate_stream(
            *made, start_event() + text_event("Hi") +
                       end_events("end_turn", R"({"output_tokens":2,"cache_creation_input_tokens":3,)"
                                              R"("cache_creation":{"ephemeral_5m_input_tokens":1,)"
                                              R"("ephemeral_1h_input_tokens":2}})"));
        REQUIRE(t.usage.has_value());
        CHECK(t.usage->cache_write == 3);
        CHECK(made->long_cache_writes() == 2);
    }

    TEST_CASE("a stream that breaks off tells the input it was begun with, and no end") {
        auto made = translator();
        const auto t = test::translate_stream(*made, start_event() + text_event("Hi"));
        CHECK_FALSE(t.done);
        CHECK_FALSE(t.usage.has_value());
        REQUIRE(made->input_usage().has_value());
        CHECK(made->input_usage()->prompt == 7);
        CHECK(made->input_usage()->completion == 0);
        CHECK(t.text.find("[DONE]") == std::string::npos);
    }

    TEST_CASE("each stop reason has its finish reason") {
        const std::pair<std::string_view, std::string_view> reasons[] = {
            {"end_turn", "stop"},       {"stop_sequence", "stop"},
            {"max_tokens", "length"},   {"model_context_window_exceeded", "length"},
            {"tool_use", "tool_calls"}, {"refusal", "content_filter"},
            {"pause_turn", "stop"},     {"something_new", "stop"},
        };
        for (const auto& [native, ours] : reasons) {
            CAPTURE(native);
            auto made = translator();
            const auto t = test::translate_stream(*made, start_event() + text_event("Hi") + end_events(native, "{}"));
            const auto chunks = test::events_of(t.text);
            CHECK(chunks.at(2).at("choices").at(0).at("finish_reason").as_string() == ours);
        }
    }

    TEST_CASE("a second beginning after content is an error") {
        auto made = translator();
        const auto t = test::translate_stream(*made, start_event() + text_event("Hi") + start_event());
        CHECK_FALSE(t.error.empty());
        CHECK_FALSE(t.done);
    }

    TEST_CASE("an event that is not JSON is an error, and nothing follows it") {
        auto made = translator();
        const auto t = test::translate_stream(*made, start_event() + event("{oops") + text_event("Hi"));
        CHECK_FALSE(t.error.empty());
        CHECK(t.text.find("Hi") == std::string::npos);
    }

    TEST_CASE("parallel tool calls have numbers of their own, and arguments that come with the start are given") {
        auto made = translator();
        const auto block = [](int index, std::string_view id, std::string_view input) {
            return event(R"({"type":"content_block_start","index":)" + std::to_string(index) +
                         R"(,"content_block":{"type":"tool_use","id":")" + std::string(id) +
                         R"(","name":"f","input":)" + std::string(input) + "}}");
        };
        const std::string stop = event(R"({"type":"content_block_stop","index":1})");
        const auto t = test::translate_stream(
            *made,
            start_event() + text_event("Hi") + stop + block(1, "toolu_a", R"({"a": 1})") + stop +
                block(2, "toolu_b", "{}") +
                event(R"({"type":"content_block_delta","delta":{"type":"input_json_delta","partial_json":"{\"b"}})") +
                event(R"({"type":"content_block_delta","delta":{"type":"input_json_delta","partial_json":"\":2}"}})") +
                stop + end_events("tool_use", "{}"));
        std::string arguments[2];
        std::string ids[2];
        for (const json::value& chunk : test::events_of(t.text)) {
            if (!chunk.is_object() || chunk.at("choices").as_array().empty()) {
                continue;
            }
            const auto& delta = chunk.at("choices").at(0).at("delta").as_object();
            if (const auto* calls = delta.if_contains("tool_calls")) {
                const auto& call = calls->at(0).as_object();
                const auto k = static_cast<std::size_t>(call.at("index").as_int64());
                REQUIRE(k < 2);
                if (const auto* id = call.if_contains("id")) {
                    ids[k] = id->as_string();
                }
                arguments[k] += call.at("function").at("arguments").as_string();
            }
        }
        CHECK(ids[0] == "toolu_a");
        CHECK(ids[1] == "toolu_b");
        CHECK(json::parse(arguments[0]) == json::parse(R"({"a":1})"));
        CHECK(json::parse(arguments[1]) == json::parse(R"({"b":2})"));
    }

    TEST_CASE("encrypted thoughts and the pages that were cited go over whole") {
        auto made = translator();
        const auto whole = made->whole(
            R"({"id":"msg_1","type":"message","model":"m","content":[{"type":"redacted_thinking","data":"abc="},)"
            R"({"type":"text","text":"Zürich "},{"type":"text","text":"rains","citations":[{"type":)"
            R"("web_search_result_location","url":"https://a.example","title":"A","cited_text":"x"}]}],)"
            R"("stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":2}})");
        REQUIRE(whole.has_value());
        const json::value message = json::parse(*whole).at("choices").at(0).at("message");
        CHECK(message.at("content").as_string() == "Zürich rains");
        const json::value& thought = message.at("reasoning_details").at(0);
        CHECK(thought.at("type").as_string() == "reasoning.encrypted");
        CHECK(thought.at("data").as_string() == "abc=");
        const json::value& citation = message.at("annotations").at(0).at("url_citation");
        CHECK(citation.at("start_index").as_int64() == 7);
        CHECK(citation.at("end_index").as_int64() == 12);
        CHECK(citation.at("url").as_string() == "https://a.example");
    }

    TEST_CASE("an emulated JSON answer is content and no tool call") {
        constexpr std::string_view request =
            R"({"model":"m","messages":[{"role":"user","content":"hi"}],"response_format":{"type":"json_schema",)"
            R"("json_schema":{"name":"city","schema":{"type":"object"}}}})";
        auto made = translator(request, "claude-3-haiku-20240307");
        const auto t = test::translate_stream(
            *made,
            start_event() +
                event(R"({"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"toolu_1",)"
                      R"("name":"city","input":{}}})") +
                event(
                    R"({"type":"content_block_delta","delta":{"type":"input_json_delta","partial_json":"{\"a\":1}"}})") +
                event(R"({"type":"content_block_stop","index":0})") + end_events("tool_use", "{}"));
        const auto chunks = test::events_of(t.text);
        CHECK(chunks.at(1).at("choices").at(0).at("delta").at("content").as_string() == R"({"a":1})");
        CHECK(chunks.at(2).at("choices").at(0).at("finish_reason").as_string() == "stop");
        CHECK(t.text.find("tool_calls") == std::string::npos);
    }

    TEST_CASE("an answer that is no message is an error") {
        for (const std::string_view body : {"", "[]", "{}", "<html>", R"({"type":"message"})"}) {
            CAPTURE(body);
            CHECK_FALSE(translator()->whole(body).has_value());
        }
        auto made = translator();
        constexpr std::string_view error = R"({"type":"error","error":{"type":"overloaded_error","message":"Busy"}})";
        CHECK_FALSE(made->whole(error).has_value());
        CHECK(made->error_event() == error);
    }
}
