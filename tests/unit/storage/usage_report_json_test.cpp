#include "storage/usage_report_json.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>

using namespace concurred::storage;

namespace {

usage_sums sums(std::int64_t requests, std::int64_t tokens, std::int64_t nano_usd) {
    usage_sums s;
    s.requests = requests;
    s.prompt_tokens = tokens;
    s.cost_nano_usd = nano_usd;
    return s;
}

}  // namespace

TEST_SUITE("storage/usage_report_json") {
    TEST_CASE("the body is the documented one") {
        usage_report report;
        report.totals = sums(142, 85'000, 470'000'000);
        report.by_model.push_back({"claude-sonnet-4-5-20250929", sums(45, 28'000, 180'000'000)});
        report.by_model.push_back({"gpt-5.2", sums(52, 31'000, 150'000'000)});
        CHECK(render_usage_report(report) ==
              R"({"success":true,"data":{"totalRequests":142,"totalTokens":85000,"totalCost":0.47,"byModel":{)"
              R"("claude-sonnet-4-5-20250929":{"requests":45,"tokens":28000,"cost":0.18},)"
              R"("gpt-5.2":{"requests":52,"tokens":31000,"cost":0.15}}}})");
    }

    TEST_CASE("without requests the totals are zero and byModel is empty") {
        CHECK(render_usage_report({}) ==
              R"({"success":true,"data":{"totalRequests":0,"totalTokens":0,"totalCost":0,"byModel":{}}})");
    }

    TEST_CASE("tokens of all classes are counted") {
        usage_report report;
        report.totals.prompt_tokens = 1;
        report.totals.cache_read_tokens = 10;
        report.totals.cache_write_tokens = 100;
        report.totals.completion_tokens = 1'000;
        report.totals.reasoning_tokens = 10'000;
        CHECK(render_usage_report(report).find(R"("totalTokens":11111,)") != std::string::npos);
    }

    TEST_CASE("cost is exact, without exponent or rounding") {
        struct row {
            std::int64_t nano_usd;
            const char* text;
        };
        const row rows[] = {
            {0, "0"},
            {1, "0.000000001"},
            {10, "0.00000001"},
            {470'000'000, "0.47"},
            {999'999'999, "0.999999999"},
            {1'000'000'000, "1"},
            {1'000'000'001, "1.000000001"},
            {1'500'000'000, "1.5"},
            {100'000'000'000, "100"},
            {123'456'789'012'345'678, "123456789.012345678"},
            {INT64_MAX, "9223372036.854775807"},
            {-1, "-0.000000001"},
            {INT64_MIN, "-9223372036.854775808"},
        };
        for (const row& r : rows) {
            std::string out = "x";
            append_usd(out, r.nano_usd);
            CHECK(out == "x" + std::string(r.text));
        }
    }

    TEST_CASE("a model with requests of unknown cost says so") {
        usage_report report;
        usage_entry entry{"new-model", sums(3, 30, 0)};
        entry.sums.unpriced_requests = 1;
        report.by_model.push_back(entry);
        CHECK(render_usage_report(report).find(R"("new-model":{"requests":3,"tokens":30,"cost":0,"unpriced":true}})") !=
              std::string::npos);
    }

    TEST_CASE("names are JSON strings whatever bytes they hold") {
        struct row {
            std::string name;
            const char* json;
        };
        const row rows[] = {
            {"a\"b\\c/d", R"("a\"b\\c/d")"},
            {std::string("\0\n\x1f", 3), R"("\u0000\u000a\u001f")"},
            {"\x7f", "\"\x7f\""},
            {"\xe2\x98\x83\xf0\x9f\x98\x80", "\"\xe2\x98\x83\xf0\x9f\x98\x80\""},
            {"cut\xe2\x98", R"("cut\ufffd\ufffd")"},
            {"\xc0\x80", R"("\ufffd\ufffd")"},            // overlong
            {"\xed\xa0\x80", R"("\ufffd\ufffd\ufffd")"},  // surrogate
            {"\xf4\x90\x80\x80", R"("\ufffd\ufffd\ufffd\ufffd")"},
            {"\xff", R"("\ufffd")"},
        };
        for (const row& r : rows) {
            usage_report report;
            report.by_model.push_back({r.name, {}});
            CHECK(render_usage_report(report).find(std::string("{") + r.json + ":{") != std::string::npos);
        }
    }

    TEST_CASE("a series is there only when asked for, empty or not") {
        usage_report report;
        report.interval = usage_interval::day;
        const std::string head =
            R"({"success":true,"data":{"totalRequests":0,"totalTokens":0,"totalCost":0,"byModel":{},)";
        CHECK(render_usage_report(report) == head + R"("series":[]}})");
        report.series.push_back({.day = 20'513, .sums = sums(1, 2, 3)});
        report.series.push_back({.day = 20'514, .sums = sums(4, 5, 6'000'000'000)});
        CHECK(render_usage_report(report) ==
              head + R"("series":[{"date":"2026-03-01","requests":1,"tokens":2,"cost":0.000000003},)"
                     R"({"date":"2026-03-02","requests":4,"tokens":5,"cost":6}]}})");
    }

    TEST_CASE("the points of a grouped series carry the name under the word of the group") {
        struct row {
            usage_group group;
            const char* json;
        };
        const row rows[] = {{usage_group::model, R"([{"model":"x","requests":1,)"},
                            {usage_group::key, R"([{"key":"x","requests":1,)"},
                            {usage_group::provider, R"([{"provider":"x","requests":1,)"}};
        for (const row& r : rows) {
            usage_report report;
            report.group = r.group;
            report.series.push_back({.name = "x", .sums = sums(1, 1, 1)});
            CHECK(render_usage_report(report).find(r.json) != std::string::npos);
        }
    }

    TEST_CASE("days are dates of the calendar") {
        struct row {
            std::int32_t day;
            const char* text;
        };
        const row rows[] = {{0, "1970-01-01"},
                            {-1, "1969-12-31"},
                            {11'016, "2000-02-29"},
                            {20'453, "2025-12-31"},
                            {20'454, "2026-01-01"}};
        for (const row& r : rows) {
            CHECK(day_text(r.day) == r.text);
        }
    }
}
