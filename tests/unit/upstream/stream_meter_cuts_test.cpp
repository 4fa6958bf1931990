#include "tests/support/fixture_files.hpp"
#include "tests/support/meter_run.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace concurred;
using upstream::usage_events;

namespace {

/// The stream with other line ends.
std::string with_line_ends(std::string_view stream, std::string_view line_end) {
    std::string out;
    for (const char c : stream) {
        if (c == '\n') {
            out += line_end;
        } else {
            out += c;
        }
    }
    return out;
}

void check_all_cuts(const std::string& stream, usage_events mode, std::size_t hold_limit) {
    const test::meter_outcome whole = test::run_meter(
        stream, mode, [&] { return stream.size(); }, hold_limit);
    const std::string seen = test::observations(whole.meter);
    if (mode == usage_events::keep) {
        CHECK(whole.forwarded == stream);
    }
    const auto check = [&](const test::meter_outcome& cut) {
        REQUIRE(cut.forwarded == whole.forwarded);
        REQUIRE(test::observations(cut.meter) == seen);
    };
    for (std::size_t at = 1; at < stream.size(); ++at) {
        bool first = true;
        check(test::run_meter(
            stream, mode, [&] { return std::exchange(first, false) ? at : stream.size(); }, hold_limit));
    }
    for (const std::size_t step : {1, 2, 3, 7, 64, 1000}) {
        check(test::run_meter(
            stream, mode, [step] { return step; }, hold_limit));
    }
    std::mt19937 random(1);
    for (int round = 0; round < 50; ++round) {
        std::geometric_distribution<std::size_t> sizes(round % 2 == 0 ? 0.1 : 0.005);
        check(test::run_meter(
            stream, mode, [&] { return 1 + sizes(random); }, hold_limit));
    }
}

}  // namespace

TEST_SUITE("upstream/stream_meter") {
    TEST_CASE("any cut of the bytes gives the same output and the same observations") {
        const auto files = test::openai_family_streams();
        REQUIRE(files.size() >= 6);
        for (const auto& file : files) {
            INFO(file.string());
            const std::string stream = test::read_file(file);
            for (const usage_events mode : {usage_events::keep, usage_events::strip}) {
                check_all_cuts(stream, mode, upstream::stream_meter::default_hold_limit);
                check_all_cuts(stream.substr(0, stream.size() - 2), mode, upstream::stream_meter::default_hold_limit);
                check_all_cuts(stream, mode, 400);  // the longest events are over the limit
            }
        }
    }

    TEST_CASE("any cut gives the same with other line ends") {  // reliability U-14
        const std::string stream = test::fixture("openrouter/text-thinking.sse");
        for (const char* line_end : {"\r\n", "\r"}) {
            for (const usage_events mode : {usage_events::keep, usage_events::strip}) {
                check_all_cuts(with_line_ends(stream, line_end), mode, upstream::stream_meter::default_hold_limit);
            }
        }
    }

    TEST_CASE("third-party recordings give the right figures") {
        const auto folder = test::third_party_fixtures();
        if (folder.empty()) {
            return;
        }
        struct row {
            const char* file;
            base::token_counts counts;
        };
        // From the files' usage objects.
        const row rows[] = {
            {"openai/text.sse", {16, 0, 0, 300, 0}},
            {"x-ai/text.sse", {1, 11, 0, 2, 340}},
            {"x-ai/tool-call.sse", {1, 306, 0, 26, 227}},
        };
        for (const row& r : rows) {
            INFO(r.file);
            const std::string stream = test::read_file(folder / r.file);
            const auto out = test::run_meter(stream, usage_events::strip, [&] { return stream.size(); });
            const auto& usage = out.meter.usage();
            REQUIRE(usage.has_value());
            CHECK(usage->prompt == r.counts.prompt);
            CHECK(usage->cache_read == r.counts.cache_read);
            CHECK(usage->completion == r.counts.completion);
            CHECK(usage->reasoning == r.counts.reasoning);
            CHECK(out.meter.done());
            CHECK(out.meter.finished());
            CHECK(out.forwarded.find("\"choices\":[]") == std::string::npos);
            CHECK(out.forwarded.ends_with("data: [DONE]\n\n"));
        }
    }

    TEST_CASE("a megabyte line and twenty thousand tiny events pass") {  // reliability U-14
        std::string stream =
            "data: {\"choices\":[{\"delta\":{\"content\":\"" + std::string(1 << 20, 'y') + "\"}}]}\n\n";
        for (int i = 0; i < 20'000; ++i) {
            stream += i % 3 == 0 ? ":\r\r" : "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\r\n\r\n";
        }
        const auto out = test::run_meter(stream, usage_events::strip, [] { return std::size_t{16384}; });
        CHECK(out.forwarded == stream);
        CHECK(out.meter.output_bytes() > (1U << 20));
    }
}
