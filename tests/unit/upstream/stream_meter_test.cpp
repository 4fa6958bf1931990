#include "upstream/stream_meter.hpp"

#include "tests/support/fixture_files.hpp"
#include "tests/support/meter_run.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace concurred;
using test::meter_outcome;
using upstream::stream_meter;
using upstream::usage_events;

namespace {

meter_outcome whole(std::string_view stream, usage_events mode = usage_events::keep) {
    return test::run_meter(stream, mode, [&] { return stream.size(); });
}

const std::string usage_event =
    R"(data: {"id":"1","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}})";

}  // namespace

TEST_SUITE("upstream/stream_meter") {
    TEST_CASE("recorded streams are understood") {
        struct row {
            const char* file;
            std::uint64_t input;
            std::uint64_t output;
            std::uint64_t reasoning;
            std::uint64_t bytes;  // counted by hand in the file
            bool done;
            bool finished;
        };
        const row rows[] = {
            // names 11 + 11, arguments {"location": and "Paris"} and {}
            {"openai/tool-call.sse", 102, 118, 64, 11 + 12 + 8 + 11 + 2, true, true},
            {"openrouter/text-thinking.sse", 1044, 61, 44, 8 + 11 + 5 + 7, true, true},
            {"openrouter/error-midstream.sse", 0, 0, 0, 17, true, true},
            // "<thi" "nk>.The user wants" " a greeting..</th" "ink>..Hello" "!"
            {"minimax/text-think-tag.sse", 52, 87, 61, 4 + 18 + 17 + 11 + 1, true, true},
            // the reasoning is repeated in full: 24; then name 11 and arguments {"location": "Paris"}
            {"minimax/tool-call-split.sse", 52, 87, 61, 24 + 11 + 21, true, true},
            {"minimax/error-first-event.sse", 0, 0, 0, 0, false, false},
        };
        for (const row& r : rows) {
            INFO(r.file);
            const std::string stream = test::fixture(r.file);
            const meter_outcome out = whole(stream);
            CHECK(out.forwarded == stream);
            REQUIRE(out.meter.usage().has_value() == (r.input != 0));
            if (out.meter.usage()) {
                CHECK(out.meter.usage()->input() == r.input);
                CHECK(out.meter.usage()->output() == r.output);
                CHECK(out.meter.usage()->reasoning == r.reasoning);
            }
            CHECK(out.meter.output_bytes() == r.bytes);
            CHECK(out.meter.estimated_output_tokens() == (r.bytes + 3) / 4);
            CHECK(out.meter.done() == r.done);
            CHECK(out.meter.finished() == r.finished);
        }
    }

    TEST_CASE("usage events are taken out when the client did not ask for them, and nothing else") {
        for (const char* file :
             {"openai/tool-call.sse", "openrouter/text-thinking.sse", "minimax/tool-call-split.sse"}) {
            INFO(file);
            const std::string stream = test::fixture(file);
            std::string expected = stream;
            const std::size_t begin = expected.find("data: ", expected.rfind("\"choices\":[]") - 220);
            const std::size_t end = expected.find("\n\n", begin) + 2;
            expected.erase(begin, end - begin);
            const meter_outcome out = whole(stream, usage_events::strip);
            CHECK(out.forwarded == expected);
            CHECK(out.forwarded.find("[]") == std::string::npos);
            CHECK(out.meter.usage().has_value());
            CHECK(out.meter.done());
        }
        // Usage beside a choice is no usage event (OpenRouter, MiniMax).
        const std::string stream = test::fixture("minimax/text-think-tag.sse");
        CHECK(whole(stream, usage_events::strip).forwarded == stream);
    }

    TEST_CASE("an event is taken out with all its lines, whatever the line ends") {
        struct row {
            std::string stream;
            std::string forwarded;
        };
        const row rows[] = {
            {"data: 1\n\n" + usage_event + "\n\ndata: 2\n\n", "data: 1\n\ndata: 2\n\n"},
            {"data: 1\r\n\r\n" + usage_event + "\r\n\r\ndata: 2\r\n\r\n", "data: 1\r\n\r\ndata: 2\r\n\r\n"},
            {"data: 1\r\r" + usage_event + "\r\rdata: 2\r\r", "data: 1\r\rdata: 2\r\r"},
            {": a\nid: 7\n" + usage_event + "\n\n: b\n\n", ": b\n\n"},
            {"data: 1\n\n" + usage_event, "data: 1\n\n"},  // no blank line at the end
            {"data: 1\n\n" + usage_event + "\n", "data: 1\n\n"},
            {usage_event + "\n\n\n\ndata: [DONE]\n\n", "\n\ndata: [DONE]\n\n"},
            {R"(data:{"choices": [ ], "usage": {)"
             "\ndata:\"prompt_tokens\":1}}\n\n",
             ""},
            // MiniMax's zeros make no figures, but an event without a choice is still no answer
            {R"(data: {"choices":[],"usage":{"total_tokens":0}})"
             "\n\n",
             ""},
        };
        for (const row& r : rows) {
            for (std::size_t step = 1; step <= r.stream.size(); ++step) {
                INFO(r.stream << " / " << step);
                const auto next = [step] { return step; };
                CHECK(test::run_meter(r.stream, usage_events::strip, next).forwarded == r.forwarded);
                CHECK(test::run_meter(r.stream, usage_events::keep, next).forwarded == r.stream);
            }
        }
    }

    TEST_CASE("events that only look like usage stay") {
        for (const char* data : {
                 R"({"choices":[],"usage":null})",
                 R"({"choices":[],"prompt_filter_results":[]})",
                 R"({"usage":{"prompt_tokens":1}})",
                 R"({"choices":null,"usage":{"prompt_tokens":1}})",
                 R"({"choices":[],"usage":{"prompt_tokens":1},"error":{"message":"x"}})",
                 R"({"choices":[{"index":0,"delta":{}}],"usage":{"prompt_tokens":1}})",
                 R"({"x":{"choices":[],"usage":{"prompt_tokens":1}}})",
                 R"({"choices":[],"usage":{"prompt_tokens":1})",  // broken
                 R"(["usage"])",
             }) {
            const std::string stream = "data: " + std::string(data) + "\n\n";
            INFO(stream);
            CHECK(whole(stream, usage_events::strip).forwarded == stream);
        }
    }

    TEST_CASE("only what a reader would see counts as content") {
        struct row {
            const char* data;
            bool content;
        };
        const row rows[] = {
            {R"({"choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"finish_reason":null}]})",
             false},
            {R"({"choices":[{"index":0,"delta":{"role":"assistant","content":null}}],"usage":null})", false},
            {R"({"choices":[{"delta":{"tool_calls":[]}}]})", false},
            {R"({"choices":[{"delta":{}}],"usage":{"total_tokens":0,"total_characters":0}})", false},
            {R"({"id":"","choices":[],"prompt_filter_results":[{}]})", false},
            {R"({"error":{"message":"x"}})", false},
            {R"([DONE])", false},
            {R"(no json)", false},
            {R"({"choices":[{"delta":{"content":"a"}}]})", true},
            {R"({"choices":[{"delta":{"reasoning_content":"a","role":"assistant"}}]})", true},
            {R"({"choices":[{"delta":{"content":"","reasoning":"a"}}]})", true},
            {R"({"choices":[{"delta":{"refusal":"a"}}]})", true},
            {R"({"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"f"}}]}}]})", true},
            {R"({"choices":[{"delta":{"reasoning_details":[{"text":"a"}]}}]})", true},
            {R"({"choices":[{"delta":{},"finish_reason":"stop"}]})", true},
            {R"({"choices":[],"usage":{"prompt_tokens":1}})", true},
        };
        for (const row& r : rows) {
            INFO(r.data);
            CHECK(whole(": comment\n\ndata: " + std::string(r.data) + "\n\n").meter.content_seen() == r.content);
        }
    }

    TEST_CASE("the content of an answer is never taken for figures or for the end") {  // reliability I-13
        const std::string stream =
            R"(data: {"choices":[{"delta":{"content":"\"usage\":{\"prompt_tokens\":9} \"error\":{} \"finish_reason\":\"stop\""}}]})"
            "\n\n"
            R"(data: {"choices":[{"delta":{"content":"\ndata: [DONE]\n\n"}}]})"
            "\n\n: [DONE]\n\n";
        const meter_outcome out = whole(stream);
        CHECK(out.forwarded == stream);
        CHECK_FALSE(out.meter.usage().has_value());
        CHECK_FALSE(out.meter.done());
        CHECK_FALSE(out.meter.finished());
        CHECK_FALSE(out.meter.failed());
    }

    TEST_CASE("keys are believed only at their place") {
        const meter_outcome out = whole(
            R"(data: {"x":{"usage":{"prompt_tokens":9},"error":{"message":"m"},"finish_reason":"stop"},"choices":[{"delta":{}}]})"
            "\n\n");
        CHECK_FALSE(out.meter.usage().has_value());
        CHECK_FALSE(out.meter.failed());
        CHECK_FALSE(out.meter.finished());
    }

    TEST_CASE("the last valid figures count") {  // reliability U-27
        const auto event = [](const char* usage) {
            return std::string(R"(data: {"choices":[{"delta":{}}],"usage":)") + usage + "}\n\n";
        };
        const meter_outcome out =
            whole(event(R"({"prompt_tokens":1})") + event(R"({"prompt_tokens":2,"completion_tokens":1})") +
                  event(R"({"prompt_tokens":-3})") + event(R"({"prompt_tokens":"4"})") +
                  event(R"({"prompt_tokens":18446744073709551616})") + event("null"));
        REQUIRE(out.meter.usage().has_value());
        CHECK(out.meter.usage()->prompt == 2);
    }

    TEST_CASE("errors inside a stream are seen, and relayed as they are") {  // reliability U-24
        struct row {
            std::string stream;
            std::string_view message;
            std::string_view code;
        };
        const row rows[] = {
            {test::fixture("openrouter/error-midstream.sse"), "Provider disconnected unexpectedly", "502"},
            {test::fixture("minimax/error-first-event.sse"), "rate limit exceeded(RPM)", "1002"},
            {"data: {\"error\":{\"message\":\"busy\",\"type\":\"server_error\",\"code\":\"server_is_overloaded\"}}\n\n",
             "busy", "server_is_overloaded"},
            {"data: {\"code\":\"The service is currently unavailable\",\"error\":\"down\"}\n\n", "down",
             "The service is currently unavailable"},
            {"data: {\"error\":{\"message\":\"" + std::string(600, 'x') + "\"}}\n\ndata: {\"error\":\"second\"}\n\n",
             "xxxx", ""},
        };
        for (const row& r : rows) {
            for (const usage_events mode : {usage_events::keep, usage_events::strip}) {
                INFO(r.stream);
                const meter_outcome out = whole(r.stream, mode);
                CHECK(out.forwarded == r.stream);
                CHECK(out.meter.failed());
                CHECK(out.meter.error_event().starts_with('{'));
                CHECK(out.meter.error_message().starts_with(r.message));
                CHECK(out.meter.error_message().size() <= stream_meter::max_error_text);
                CHECK(out.meter.error_code() == r.code);
            }
        }
        CHECK_FALSE(whole("data: {\"error\":null,\"choices\":[]}\n\n").meter.failed());
    }

    TEST_CASE("figures of a long event are found, and it is never held") {
        // MiniMax's last frame repeats the whole answer.
        const std::string frame = R"(data: {"object":"chat.completion","choices":[{"message":{"content":")" +
                                  std::string(100'000, 'x') +
                                  R"("},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":6}})"
                                  "\n\n";
        const std::string stream =
            "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n" + frame + "data: [DONE]\n\n";
        for (const usage_events mode : {usage_events::keep, usage_events::strip}) {
            for (const std::size_t step : {std::size_t{1000}, std::size_t{65536}, stream.size()}) {
                stream_meter meter(mode);
                std::string buffer;
                for (std::size_t at = 0; at < stream.size(); at += step) {
                    buffer += stream.substr(at, step);
                    const auto split = meter.feed(buffer);
                    CHECK(split.hold <= stream_meter::default_hold_limit);
                    buffer.erase(0, buffer.size() - split.hold);
                }
                REQUIRE(meter.usage().has_value());
                CHECK(meter.usage()->prompt == 5);
                CHECK(meter.finished());
                CHECK(meter.done());
                CHECK(meter.output_bytes() == 1 + frame.size());
            }
        }
    }

    TEST_CASE("whole events go on at once and the rest is held, with usage taken out or not") {
        for (const usage_events mode : {usage_events::keep, usage_events::strip}) {
            stream_meter meter(mode);
            const std::string usage = usage_event + "\n\n";
            std::string bytes = "data: 1\n\n" + usage + "data: 2\n\ndata: 3";
            const auto split = meter.feed(bytes);
            const std::string kept = mode == usage_events::keep ? usage : "";
            CHECK(bytes.substr(0, split.forward) == "data: 1\n\n" + kept + "data: 2\n\n");
            CHECK(bytes.substr(bytes.size() - split.hold) == "data: 3");
            CHECK_FALSE(meter.inside_event());
            CHECK(meter.feed(std::span<char>()).forward == 0);
        }
    }

    TEST_CASE("a long event counts as content once it is whole: until then nothing says that it has any") {
        stream_meter meter(usage_events::keep, 100);
        std::string begin = ": " + std::string(200, 'x');
        CHECK(meter.feed(begin).forward == begin.size());
        CHECK(meter.inside_event());
        CHECK_FALSE(meter.content_seen());
        std::string end = "\n\n";
        CHECK(meter.feed(end).forward == end.size());
        CHECK(meter.content_seen());
        CHECK_FALSE(meter.inside_event());
    }

    TEST_CASE("an endless event is an error at the same place however it is cut, and nothing behind it goes on") {
        const std::string good = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n";
        const std::string stream =
            good + "data: " + std::string(stream_meter::max_event + 100'000, 'x') + "\n\n" + good;
        for (const std::size_t step : {std::size_t{16'384}, std::size_t{100'003}, stream.size()}) {
            const auto out = test::run_meter(stream, usage_events::strip, [step] { return step; });
            CHECK(out.forwarded.size() == good.size() + stream_meter::max_event);
            CHECK(out.meter.too_long());
            CHECK(out.meter.failed());
            CHECK(out.meter.error_event().find("too long") != std::string_view::npos);
        }
        // One that is just short enough passes.
        const std::string longest = "data: " + std::string(stream_meter::max_event - 8, 'x') + "\n\n";
        const auto out = test::run_meter(longest + good, usage_events::keep, [] { return std::size_t{65'536}; });
        CHECK(out.forwarded.size() == longest.size() + good.size());
        CHECK_FALSE(out.meter.failed());
    }

    TEST_CASE("a byte order mark is passed on and does not hide the first event") {  // reliability U-14
        const std::string stream =
            "\xEF\xBB\xBF"
            "data: [DONE]\n\n";
        const meter_outcome out = whole(stream);
        CHECK(out.forwarded == stream);
        CHECK(out.meter.done());
    }
}
