// CPU time of one event of a stream: each provider's translation, and beside it OpenAI's own stream, which goes through
// as it comes. A stream is a few thousand events; all that is measured is what becomes of their bytes between a read
// and a write.

#include "upstream/dialect.hpp"
#include "upstream/messages_answer.hpp"
#include "upstream/metered_answer.hpp"
#include "upstream/translated_answer.hpp"

#include <benchmark/benchmark.h>

#include <array>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

using namespace concurred;

namespace {

constexpr unsigned tokens = 2'000;
constexpr std::size_t read_size = std::size_t{16} * 1024;

constexpr std::array<std::string_view, 12> words{"The", " answer", " is",     " that", " it\\n",  " depends",
                                                 " on", " the ",   "weather", ",",     " \\\"so", "\\u00e9"};

std::string_view word(unsigned n) {
    return words[(n * 7U) % words.size()];
}

struct sample {
    std::string stream;
    unsigned events = 0;

    void add(const std::string& event) {
        stream += event;
        ++events;
    }
};

std::string data(const std::string& json) {
    return "data: " + json + "\n\n";
}

std::string chat_chunk(const std::string& delta, std::string_view more = "") {
    return data(R"({"id":"chatcmpl-9","object":"chat.completion.chunk","created":1700000000,"model":"m",)"
                R"("system_fingerprint":"fp_1","choices":[{"index":0,"delta":)" +
                delta + R"(,"logprobs":null,"finish_reason":null}])" + std::string(more) + "}");
}

sample chat_stream(bool tool, std::string_view more = "") {
    sample s;
    s.add(chat_chunk(R"({"role":"assistant","content":""})", more));
    if (tool) {
        s.add(chat_chunk(R"({"tool_calls":[{"index":0,"id":"call_1","type":"function",)"
                         R"("function":{"name":"f","arguments":""}}]})",
                         more));
    }
    for (unsigned i = 0; i != tokens; ++i) {
        const std::string text(word(i));
        s.add(chat_chunk(tool ? R"({"tool_calls":[{"index":0,"function":{"arguments":")" + text + R"("}}]})"
                              : R"({"content":")" + text + R"("})",
                         more));
    }
    return s;
}

sample anthropic_stream(bool tool) {
    sample s;
    const auto event = [&](const std::string& type, const std::string& rest) {
        s.add("event: " + type + "\ndata: {\"type\":\"" + type + "\"" + rest + "}\n\n");
    };
    event("message_start", R"(,"message":{"id":"msg_1","type":"message","role":"assistant","model":"claude",)"
                           R"("content":[],"stop_reason":null,"usage":{"input_tokens":9,"output_tokens":1}})");
    event("content_block_start",
          tool ? R"(,"index":0,"content_block":{"type":"tool_use","id":"toolu_1","name":"f","input":{}})"
               : R"(,"index":0,"content_block":{"type":"text","text":""})");
    for (unsigned i = 0; i != tokens; ++i) {
        event("content_block_delta", (tool ? R"(,"index":0,"delta":{"type":"input_json_delta","partial_json":")"
                                           : R"(,"index":0,"delta":{"type":"text_delta","text":")") +
                                         std::string(word(i)) + R"("})");
    }
    return s;
}

sample google_stream() {
    sample s;
    for (unsigned i = 0; i != tokens; ++i) {
        s.add(R"(data: {"candidates": [{"content": {"parts": [{"text": ")" + std::string(word(i)) +
              R"("}],"role": "model"},"index": 0}],"usageMetadata": {"promptTokenCount": 9,"candidatesTokenCount": )" +
              std::to_string(i + 1) + R"(,"totalTokenCount": )" + std::to_string(i + 10) +
              R"(,"promptTokensDetails": [{"modality": "TEXT","tokenCount": 9}]},"modelVersion": "gemini",)"
              R"("responseId": "r1"})"
              "\r\n\r\n");
    }
    return s;
}

using make_reader = std::function<std::unique_ptr<upstream::answer_reader>()>;

/// Sends the stream through as a relay does: what is not consumed stays in front of the next read.
void run(benchmark::State& state, const sample& s, const make_reader& make) {
    std::vector<char> buffer(2 * read_size);
    for (auto _ : state) {
        const auto reader = make();
        std::size_t kept = 0;
        for (std::size_t at = 0; at < s.stream.size(); at += read_size) {
            const std::size_t size = std::min(read_size, s.stream.size() - at);
            std::memcpy(buffer.data() + kept, s.stream.data() + at, size);
            const auto taken = reader->events({buffer.data(), kept + size}, false);
            benchmark::DoNotOptimize(taken.output.data());
            kept += size - taken.consumed;
            std::memmove(buffer.data(), buffer.data() + taken.consumed, kept);
        }
        benchmark::DoNotOptimize(reader->output_octets());
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * s.events);
}

constexpr upstream::translation_context context{.upstream_model = "m", .answer_model = "m", .stream = true};

make_reader pass_through() {
    return [] { return std::make_unique<upstream::metered_answer>(upstream::usage_events::strip); };
}

make_reader translated(const upstream::dialect& dialect) {
    return [&dialect] {
        return std::make_unique<upstream::translated_answer>(dialect.answer(R"({"messages":[]})", context));
    };
}

void add(const char* name, sample s, make_reader make) {
    benchmark::RegisterBenchmark(
        name, [s = std::move(s), make = std::move(make)](benchmark::State& state) { run(state, s, make); });
}

}  // namespace

int main(int argc, char** argv) {
    add("text/pass-through", chat_stream(false), pass_through());
    add("text/anthropic", anthropic_stream(false), translated(upstream::anthropic_dialect()));
    add("text/google", google_stream(), translated(upstream::google_dialect()));
    add("text/x-ai", chat_stream(false), translated(upstream::x_ai_dialect()));
    add("text/openrouter", chat_stream(false, R"(,"provider":"P")"), translated(upstream::openrouter_dialect()));
    add("text/minimax", chat_stream(false), translated(upstream::minimax_dialect()));
    add("text/openai as messages", chat_stream(false), [] {
        return std::make_unique<upstream::translated_answer>(std::make_unique<upstream::messages_answer>("m", nullptr));
    });
    add("arguments/pass-through", chat_stream(true), pass_through());
    add("arguments/anthropic", anthropic_stream(true), translated(upstream::anthropic_dialect()));
    add("arguments/openrouter", chat_stream(true, R"(,"provider":"P")"), translated(upstream::openrouter_dialect()));
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
}
