#include "storage/usage_report_csv.hpp"

#include <doctest/doctest.h>

using namespace concurred::storage;

TEST_SUITE("storage/usage_report_csv") {
    TEST_CASE("without a series it is a line for each model, with one it is the series") {
        const usage_sums sums{.requests = 2,
                              .prompt_tokens = 10,
                              .completion_tokens = 5,
                              .cost_nano_usd = 1'500'000'001,
                              .unpriced_requests = 1};
        usage_report report;
        report.by_model = {{"gpt, \"5\"", sums}};
        CHECK(render_usage_csv(report) ==
              "model,requests,tokens,cost_usd,unpriced_requests,estimated_requests\r\n"
              "\"gpt, \"\"5\"\"\",2,15,1.500000001,1,0\r\n");
        report.interval = usage_interval::day;
        report.group = usage_group::key;
        report.series = {{20'780, "key_1", sums}};
        CHECK(render_usage_csv(report) ==
              "date,key,requests,tokens,cost_usd,unpriced_requests,estimated_requests\r\n"
              "2026-11-23,key_1,2,15,1.500000001,1,0\r\n");
        report.group = usage_group::none;
        report.series = {{20'780, "", sums}};
        CHECK(render_usage_csv(report).starts_with("date,requests,"));
    }

    TEST_CASE("a name that a spreadsheet would take for a formula is text") {
        usage_report report;
        report.by_model = {{"=1+1", {}}};
        CHECK(render_usage_csv(report).find("\"'=1+1\",0") != std::string::npos);
    }
}
