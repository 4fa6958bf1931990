#include "bench/mock_settings.hpp"

#include <algorithm>
#include <array>

namespace concurred::bench {
namespace {

using s = mock_settings;
constexpr std::uint32_t mib = 1024 * 1024;
constexpr std::uint32_t many = 1'000'000'000;
constexpr std::uint32_t big = 64 * mib;

constexpr std::array rows{
    mock_setting{"tokens", &s::tokens, "", false, 0, many, "tokens to serve; one event each in a stream"},
    mock_setting{"first", &s::first, "", false, 0, 0, "time from the request to the first token"},
    mock_setting{"delay", &s::first, "", false, 0, 0, "another name of `first`"},
    mock_setting{"gap", &s::gap, "", false, 0, 0, "time between tokens; a plain answer waits for all of them"},
    mock_setting{"spread", &s::spread, "50", false, 0, 300,
                 "log-normal times between tokens around `gap`; hundredths of the deviation"},
    mock_setting{"trace", &s::trace, "", false, 0, 0,
                 "the times of a recording that --trace-file names, instead of `gap`"},
    mock_setting{"stamp", &s::stamp, "", false, 0, 0,
                 "each token's text is `@`, the monotonic clock in us when it was written, and a space"},
    mock_setting{"chunk", &s::chunk, "", false, 1, mib, "characters of content per token"},
    mock_setting{"group", &s::group, "", false, 1, mib, "events per write; a write is due with its last event"},
    mock_setting{"split", &s::split, "", false, 0, big, "bytes per write: cuts the answer anywhere"},
    mock_setting{"split-gap", &s::split_gap, "", false, 0, 0, "pause between the writes of `split`"},
    mock_setting{"frame", &s::frame, "", false, 0, big, "bytes per HTTP chunk: cuts events across chunks"},
    mock_setting{"pad", &s::pad, "", false, 0, big, "bytes of content in a plain answer, instead of tokens x chunk"},
    mock_setting{"prompt", &s::prompt, "", false, 0, many, "prompt_tokens; 0: a quarter of the body's bytes"},
    mock_setting{"cached", &s::cached, "", false, 0, many, "cached_tokens, part of the prompt tokens"},
    mock_setting{"cache-write", &s::cache_write, "", false, 0, many,
                 "tokens written to a cache, part of the prompt tokens"},
    mock_setting{"reasoning", &s::reasoning, "", false, 0, many, "reasoning tokens, besides those of `tokens`"},
    mock_setting{"tool", &s::tool, "1", false, 0, 128,
                 "so many tool calls; plain text once the last message is a tool's result"},
    mock_setting{"tool-name", &s::tool_name, "", false, 0, 0, "the function they call (default get_weather)"},
    mock_setting{"tool-echo", &s::tool_echo, "", false, 0, 0, "their arguments are the text of the last user message"},
    mock_setting{"echo", &s::echo, "", false, 0, 0, "content is the text of the last user message"},
    mock_setting{"early-head", &s::early_head, "", false, 0, 0, "a stream's head at once, not with the first event"},
    mock_setting{"obfuscation", &s::obfuscation, "", false, 0, 0, "random padding field in every chunk, as OpenAI's"},
    mock_setting{"ratelimits", &s::ratelimits, "", false, 0, 0, "the provider's header fields about its limits"},
    mock_setting{"headers", &s::headers, "", false, 0, 100'000, "so many more header fields"},
    mock_setting{"idle", &s::idle, "", false, 0, 0, "closes the connection when idle that long after the answer"},
    mock_setting{"flavour", &s::flavour, "", false, 0, 0,
                 "who speaks Chat Completions: openai, x-ai, openrouter, minimax (or by the path)"},
    mock_setting{"strict", &s::strict, "", false, 0, 0, "checks requests of OpenAI's dialects too"},
    mock_setting{"lenient", &s::lenient, "", false, 0, 0, "checks no request"},
    mock_setting{"tag", &s::tag, "", false, 0, 0, "ignored; makes names distinct, so that counts start afresh"},

    mock_setting{"times", &s::times, "", true, 0, many, "only the first N requests get the faults; counted per thread"},
    mock_setting{"every", &s::every, "", true, 1, many, "only every N-th request gets the faults; counted per thread"},
    mock_setting{"status", &s::status, "", true, 100, 999, "answers with this status and the provider's error body"},
    mock_setting{"code", &s::code, "", true, 0, 0, "error.code of that body"},
    mock_setting{"retry-after", &s::retry_after, "", true, 0, 0, "Retry-After of that answer, as it is given"},
    mock_setting{"retry-after-date", &s::retry_after_date, "5", true, 0, many,
                 "Retry-After as a date, so many s ahead"},
    mock_setting{"retry-after-ms", &s::retry_after_ms, "", true, 0, 0, "retry-after-ms of that answer"},
    mock_setting{"should-retry", &s::should_retry, "true", true, 0, 0, "x-should-retry of that answer"},
    mock_setting{"reset-after", &s::reset_after, "0", true, 0, many,
                 "TCP reset after N events; 0: before any byte; plain answer: after half of the body"},
    mock_setting{"close-after", &s::close_after, "0", true, 0, many, "the same with an orderly close (FIN)"},
    mock_setting{"stall-after", &s::stall_after, "0", true, 0, many, "the same with silence"},
    mock_setting{"hang", &s::hang, "", true, 0, 0, "never answers"},
    mock_setting{"error-frame", &s::error_frame, "0", true, 0, many, "an error object in the stream after N events"},
    mock_setting{"bad-chunk", &s::bad_chunk, "2", true, 0, many, "a chunk size that is no number after N events"},
    mock_setting{"huge-line", &s::huge_line, "1m", true, 0, big, "content bytes of the first content event"},
    mock_setting{"no-done", &s::no_done, "", true, 0, 0, "a stream without the end mark"},
    mock_setting{"no-usage", &s::no_usage, "", true, 0, 0, "neither usage nor usage chunk"},
    mock_setting{"garbage", &s::garbage, "", true, 0, 0, "bytes that are not HTTP, then close"},
    mock_setting{"html", &s::html, "", true, 0, 0, "200 text/html"},
    mock_setting{"json-instead", &s::json_instead, "", true, 0, 0, "a plain answer although a stream was asked for"},
    mock_setting{"sse-instead", &s::sse_instead, "", true, 0, 0, "a stream although a plain answer was asked for"},
    mock_setting{"redirect", &s::redirect, "307", true, 300, 399, "redirects to /mock/redirected, which is counted"},
    mock_setting{"extra-bytes", &s::extra_bytes, "", true, 0, 0, "appends a second answer nobody asked for"},
    mock_setting{"100s", &s::interim, "1", true, 0, 100'000, "so many interim answers first, 100 and 103 in turn"},
    mock_setting{"close-idle", &s::close_idle, "", true, 0, 0, "closes when the next request arrives"},
    mock_setting{"slow-head", &s::slow_head, "1s", true, 0, 0, "head byte by byte, spread over this time"},
    mock_setting{"truncate", &s::truncate, "", true, 0, 0, "Content-Length longer than what is sent, then close"},
    mock_setting{"repeat-last", &s::repeat_last, "", true, 0, 0,
                 "minimax: a stream's last event is a whole answer once more"},
    mock_setting{"noisy", &s::noisy, "", true, 0, 0, "Set-Cookie, Server and other fields that must not be relayed"},
};

}  // namespace

std::span<const mock_setting> mock_setting_table() noexcept {
    return rows;
}

const mock_setting* find_mock_setting(std::string_view name) noexcept {
    const auto* row = std::ranges::find(rows, name, &mock_setting::name);
    return row == rows.end() ? nullptr : row;
}

}  // namespace concurred::bench
