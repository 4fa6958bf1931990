#include "upstream/messages_answer.hpp"
#include "tests/support/fixture_files.hpp"
#include "tests/support/translation.hpp"
#include "upstream/anthropic_passage.hpp"

#include <doctest/doctest.h>
#include <boost/json.hpp>

#include <filesystem>
#include <string>

using namespace concurred;
namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

std::vector<fs::path> streams_of(std::string_view provider) {
    std::vector<fs::path> found;
    for (const fs::path& root : {fs::path("tests/fixtures"), test::third_party_fixtures()}) {
        if (root.empty() || !fs::is_directory(root / provider)) {
            continue;
        }
        for (const auto& entry : fs::directory_iterator(root / provider)) {
            const std::string name = entry.path().filename().string();
            if (name.ends_with(".sse") && name.find(".expected.") == std::string::npos) {
                found.push_back(entry.path());
            }
        }
    }
    return found;
}

// What a client of Anthropic's puts together from a stream of events.
struct message {
    std::string text;
    std::string thinking;
    std::vector<std::string> inputs;
    std::string stop_reason;
    std::int64_t output_tokens = 0;
    bool stopped = false;
};

message put_together(std::string_view stream) {
    message m;
    std::vector<std::string> blocks;
    for (std::size_t at = 0; at < stream.size();) {
        const std::size_t end = stream.find("\n\n", at);
        REQUIRE(end != std::string_view::npos);
        const std::string_view part = stream.substr(at, end - at);
        at = end + 2;
        const std::size_t data = part.find("\ndata: ");
        REQUIRE(data != std::string_view::npos);
        const json::value e = json::parse(part.substr(data + 7));
        const json::string& type = e.at("type").as_string();
        REQUIRE(part.substr(0, data) == "event: " + std::string(type));
        if (type == "content_block_start") {
            CHECK(e.at("index").as_int64() == static_cast<std::int64_t>(blocks.size()));
            blocks.emplace_back(e.at("content_block").at("type").as_string());
            if (blocks.back() == "tool_use") {
                m.inputs.emplace_back();
            }
        } else if (type == "content_block_delta") {
            const json::object& delta = e.at("delta").as_object();
            if (const auto* text = delta.if_contains("text")) {
                m.text += text->as_string();
            } else if (const auto* thinking = delta.if_contains("thinking")) {
                m.thinking += thinking->as_string();
            } else if (const auto* input = delta.if_contains("partial_json")) {
                m.inputs.back() += input->as_string();
            }
        } else if (type == "message_delta") {
            m.stop_reason = e.at("delta").at("stop_reason").as_string();
            m.output_tokens = e.at("usage").at("output_tokens").as_int64();
        } else if (type == "message_stop") {
            m.stopped = true;
        }
    }
    return m;
}

std::unique_ptr<upstream::answer_translator> from_google() {
    const upstream::translation_context context{.upstream_model = "gemini-2.5-flash",
                                                .answer_model = "gemini-2.5-flash",
                                                .stream = true,
                                                .include_usage = true};
    return std::make_unique<upstream::messages_answer>(
        "gemini",
        upstream::google_dialect().answer(R"({"model":"m","messages":[{"role":"user","content":"hi"}]})", context));
}

std::unique_ptr<upstream::answer_translator> from_chat() {
    return std::make_unique<upstream::messages_answer>("m", nullptr);
}

std::unique_ptr<upstream::answer_translator> from_anthropic() {
    return std::make_unique<upstream::anthropic_passage>(true);
}

}  // namespace

TEST_SUITE("upstream/messages_answer") {
    TEST_CASE("a stream of OpenAI's, of Google's or of Anthropic's cut anywhere comes out the same") {
        for (const fs::path& path : streams_of("openai")) {
            CAPTURE(path.string());
            test::check_cuts(from_chat, test::read_file(path));
        }
        for (const fs::path& path : streams_of("google")) {
            CAPTURE(path.string());
            test::check_cuts(from_google, test::read_file(path));
        }
        for (const fs::path& path : streams_of("anthropic")) {
            CAPTURE(path.string());
            test::check_cuts(from_anthropic, test::read_file(path));
        }
    }

    TEST_CASE("what passes from Anthropic to its own client is not changed") {
        for (const fs::path& path : streams_of("anthropic")) {
            CAPTURE(path.string());
            const std::string stream = test::read_file(path);
            auto passage = from_anthropic();
            const test::translation t = test::translate_stream(*passage, stream);
            // An error event is put into words by whoever asks.
            CHECK(t.text == stream.substr(0, t.error.empty() ? stream.size() : stream.find("event: error")));
            CHECK(t.done == t.error.empty());
        }
    }

    TEST_CASE("tool calls of OpenAI's are put together to the same calls by a client of Anthropic's") {
        auto made = from_chat();
        const test::translation t = test::translate_stream(*made, test::fixture("openai/tool-call.sse"));
        const message m = put_together(t.text);
        CHECK(m.stopped);
        CHECK(m.stop_reason == "tool_use");
        REQUIRE(m.inputs.size() == 2);
        CHECK(json::parse(m.inputs[0]) == json::parse(R"({"location":"Paris"})"));
        CHECK(json::parse(m.inputs[1]) == json::parse("{}"));
        REQUIRE(t.usage.has_value());
        CHECK(m.output_tokens == static_cast<std::int64_t>(t.usage->output()));
    }

    TEST_CASE("every answer of Google's has one beginning, one end and well-formed blocks") {
        for (const fs::path& path : streams_of("google")) {
            CAPTURE(path.string());
            auto made = from_google();
            const test::translation t = test::translate_stream(*made, test::read_file(path));
            const message m = put_together(t.text);
            CHECK(m.stopped == t.error.empty());
        }
    }

    TEST_CASE("a whole completion becomes a message with its blocks in order") {
        const auto made = from_chat()->whole(
            R"({"id":"c","model":"m","choices":[{"index":0,"finish_reason":"tool_calls","message":{"role":"assistant",)"
            R"("content":"ok","reasoning_content":"hm","tool_calls":[{"id":"t","type":"function","function":)"
            R"({"name":"f","arguments":"{\"a\":1}"}}]}}],"usage":{"prompt_tokens":9,"completion_tokens":4,)"
            R"("total_tokens":13,"prompt_tokens_details":{"cached_tokens":5}}})");
        REQUIRE(made.has_value());
        CHECK(
            json::parse(*made) ==
            json::parse(
                R"({"id":"c","type":"message","role":"assistant","model":"m","content":[{"type":"thinking",)"
                R"("thinking":"hm","signature":""},{"type":"text","text":"ok"},{"type":"tool_use","id":"t","name":"f",)"
                R"("input":{"a":1}}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":4,)"
                R"("cache_creation_input_tokens":0,"cache_read_input_tokens":5,"output_tokens":4}})"));
    }

    TEST_CASE("an error inside an answer is kept and ends it") {
        auto made = from_chat();
        const test::translation t =
            test::translate_stream(*made, "data: {\"error\":{\"message\":\"no\"}}\n\ndata: {\"choices\":[]}\n\n");
        CHECK(t.error == R"({"error":{"message":"no"}})");
        CHECK(t.text.empty());
        auto other = from_chat();
        CHECK_FALSE(other->whole(R"({"base_resp":{"status_code":1004}})").has_value());
        CHECK_FALSE(other->error_event().empty());
        CHECK_FALSE(from_chat()->whole("[]").has_value());
    }
}
