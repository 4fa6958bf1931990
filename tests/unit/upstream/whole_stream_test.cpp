#include "upstream/whole_stream.hpp"

#include "tests/support/translation.hpp"

#include <doctest/doctest.h>
#include <boost/json.hpp>

#include <string>
#include <vector>

using namespace concurred;
namespace json = boost::json;

namespace {

std::vector<json::value> stream_of(std::string_view answer, bool include_usage = true) {
    const auto made = upstream::stream_of_whole(answer, include_usage);
    REQUIRE(made.has_value());
    return test::events_of(*made);
}

/// The events that a stream of Anthropic's or of responses has, one JSON for each; their names must be those inside.
std::vector<json::value> named_events_of(std::string_view answer) {
    const auto made = upstream::stream_of_whole(answer, true);
    REQUIRE(made.has_value());
    std::vector<json::value> events;
    std::string_view rest = *made;
    while (!rest.empty()) {
        const std::size_t end = rest.find("\n\n");
        REQUIRE(end != std::string_view::npos);
        const std::string_view event = rest.substr(0, end);
        const std::size_t line = event.find('\n');
        events.push_back(json::parse(event.substr(line + std::string_view("\ndata: ").size())));
        CHECK("event: " + std::string(events.back().at("type").as_string()) == event.substr(0, line));
        rest.remove_prefix(end + 2);
    }
    return events;
}

std::vector<std::string> types_of(const std::vector<json::value>& events) {
    std::vector<std::string> types;
    for (const json::value& e : events) {
        types.emplace_back(e.at("type").as_string());
    }
    return types;
}

constexpr std::string_view completion = R"({
  "id": "c1", "object": "chat.completion", "created": 7, "model": "m", "system_fingerprint": "f",
  "choices": [
    {"index": 0, "message": {"role": "assistant", "content": "Hi \"you\"", "refusal": null,
      "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                     {"id": "call_2", "type": "function", "function": {"name": "g", "arguments": "{\"a\":1}"}}]},
     "logprobs": {"content": []}, "finish_reason": "tool_calls"},
    {"index": 1, "message": {"role": "assistant", "content": null}, "finish_reason": "length"}],
  "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}})";

}  // namespace

TEST_SUITE("upstream/whole_stream") {
    TEST_CASE("a completion is said as OpenAI's stream: role, content, finish, usage, the end mark") {
        const auto events = stream_of(completion);
        REQUIRE(events.size() == 7);
        for (std::size_t i = 0; i != 6; ++i) {
            CHECK(events[i].at("object").as_string() == "chat.completion.chunk");
            CHECK(events[i].at("id").as_string() == "c1");
            CHECK(events[i].at("created").as_int64() == 7);
            CHECK(events[i].at("model").as_string() == "m");
            CHECK(events[i].at("system_fingerprint").as_string() == "f");
        }
        const auto choice = [&](std::size_t event) { return events[event].at("choices").at(0); };
        CHECK(choice(0) == json::parse(R"({"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,)"
                                       R"("finish_reason":null})"));
        CHECK(choice(1) == json::parse(R"({"index":0,"delta":{"content":"Hi \"you\"","tool_calls":[)"
                                       R"({"index":0,"id":"call_1","type":"function",)"
                                       R"("function":{"name":"f","arguments":"{}"}},)"
                                       R"({"index":1,"id":"call_2","type":"function",)"
                                       R"("function":{"name":"g","arguments":"{\"a\":1}"}}]},)"
                                       R"("logprobs":{"content":[]},"finish_reason":null})"));
        CHECK(choice(2) == json::parse(R"({"index":0,"delta":{},"logprobs":null,"finish_reason":"tool_calls"})"));
        CHECK(choice(3).at("index").as_int64() == 1);
        CHECK(choice(4).at("finish_reason").as_string() == "length");
        CHECK(events[5].at("choices").as_array().empty());
        CHECK(events[5].at("usage").at("total_tokens").as_int64() == 7);
        CHECK(events[0].at("usage").is_null());
        CHECK(events[6].as_string() == "[DONE]");
    }

    TEST_CASE("usage is told only to who asked for it") {
        const auto events = stream_of(completion, false);
        CHECK(events.size() == 6);
        for (std::size_t i = 0; i != 5; ++i) {
            CHECK_FALSE(events[i].as_object().contains("usage"));
        }
    }

    TEST_CASE("a message is said as Anthropic's stream") {
        const auto events = named_events_of(
            R"({"id":"msg_1","type":"message","role":"assistant","model":"m","content":[)"
            R"({"type":"thinking","thinking":"Hm","signature":"s"},{"type":"text","text":"Hi"},)"
            R"({"type":"tool_use","id":"toolu_1","name":"f","input":{ "a": 1 }},{"type":"redacted_thinking","data":"x"}],)"
            R"("stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":4}})");
        CHECK(types_of(events) ==
              std::vector<std::string>{"message_start", "content_block_start", "content_block_delta",
                                       "content_block_delta", "content_block_stop", "content_block_start",
                                       "content_block_delta", "content_block_stop", "content_block_start",
                                       "content_block_delta", "content_block_stop", "content_block_start",
                                       "content_block_stop", "message_delta", "message_stop"});
        CHECK(events[0].at("message").at("content").as_array().empty());
        CHECK(events[0].at("message").at("stop_reason").is_null());
        CHECK(events[0].at("message").at("usage").at("input_tokens").as_int64() == 3);
        CHECK(events[1].at("content_block") == json::parse(R"({"type":"thinking","thinking":"","signature":""})"));
        CHECK(events[2].at("delta") == json::parse(R"({"type":"thinking_delta","thinking":"Hm"})"));
        CHECK(events[3].at("delta") == json::parse(R"({"type":"signature_delta","signature":"s"})"));
        CHECK(events[6].at("delta") == json::parse(R"({"type":"text_delta","text":"Hi"})"));
        CHECK(events[8].at("content_block") ==
              json::parse(R"({"type":"tool_use","id":"toolu_1","name":"f","input":{}})"));
        CHECK(events[9].at("delta") == json::parse(R"({"type":"input_json_delta","partial_json":"{\"a\":1}"})"));
        CHECK(events[9].at("index").as_int64() == 2);
        CHECK(events[11].at("content_block") == json::parse(R"({"type":"redacted_thinking","data":"x"})"));
        CHECK(events[13].at("delta") == json::parse(R"({"stop_reason":"tool_use","stop_sequence":null})"));
        CHECK(events[13].at("usage").at("output_tokens").as_int64() == 4);
    }

    TEST_CASE("a response is said as the stream of the Responses API, its events numbered") {
        const auto events =
            named_events_of(R"({"id":"resp_1","object":"response","status":"completed","output":[)"
                            R"({"id":"rs_1","type":"reasoning","summary":[]},)"
                            R"({"id":"msg_1","type":"message","role":"assistant","status":"completed","content":[)"
                            R"({"type":"output_text","text":"Hi","annotations":[]}]},)"
                            R"({"id":"fc_1","type":"function_call","call_id":"call_1","name":"f","arguments":"{}"}],)"
                            R"("usage":{"input_tokens":3,"output_tokens":4,"total_tokens":7}})");
        CHECK(types_of(events) ==
              std::vector<std::string>{
                  "response.created", "response.in_progress", "response.output_item.added", "response.output_item.done",
                  "response.output_item.added", "response.content_part.added", "response.output_text.delta",
                  "response.output_text.done", "response.content_part.done", "response.output_item.done",
                  "response.output_item.added", "response.function_call_arguments.delta",
                  "response.function_call_arguments.done", "response.output_item.done", "response.completed"});
        for (std::size_t i = 0; i != events.size(); ++i) {
            CHECK(events[i].at("sequence_number").to_number<std::size_t>() == i);
        }
        CHECK(events[0].at("response").at("status").as_string() == "in_progress");
        CHECK(events[0].at("response").at("output").as_array().empty());
        CHECK(events[4].at("item").at("content").as_array().empty());
        CHECK(events[6].at("delta").as_string() == "Hi");
        CHECK(events[6].at("item_id").as_string() == "msg_1");
        CHECK(events[6].at("output_index").as_int64() == 1);
        CHECK(events[12].at("arguments").as_string() == "{}");
        CHECK(events[14].at("response").at("usage").at("total_tokens").as_int64() == 7);
    }

    TEST_CASE("what is no answer is an error that another model may answer") {
        for (const char* text :
             {"", "[]", "{}", "null", R"({"choices":null})", R"({"choices":[]})", R"({"type":"message"})"}) {
            INFO(text);
            const auto made = upstream::stream_of_whole(text, true);
            REQUIRE(made.has_error());
            CHECK(base::status_of(made.error()) == 502);
        }
    }
}
