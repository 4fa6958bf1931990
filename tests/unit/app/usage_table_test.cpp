#include "gateway/app/usage_table.hpp"
#include "gateway/app/table.hpp"

#include <doctest/doctest.h>

using namespace concurred;

TEST_SUITE("app/usage_table") {
    TEST_CASE("columns are as wide as their cells, empty ones are left out, and lines have no spaces at the end") {
        app::text_table table;
        table.column("NAME");
        table.column("EMPTY");
        table.column("N", app::text_table::align::right);
        table.column("NOTE");
        table.row({"Gr\u00fcn", "", "5", "x"});
        table.row({"a longer one", "", "12345", ""});
        CHECK(table.text() ==
              "NAME              N  NOTE\n"
              "Gr\u00fcn              5  x\n"
              "a longer one  12345\n");
    }

    TEST_CASE("what could drive a terminal is replaced") {
        app::text_table table;
        table.column("A");
        table.row({"a\x1b[2Jb\xff\n"});
        CHECK(table.text() == "A\na\uFFFD[2Jb\uFFFD\uFFFD\n");
    }

    TEST_CASE("costs are exact, stand below each other, and are never shown as free when they are unknown") {
        storage::usage_report report;
        report.by_model = {
            {"cheap", {.requests = 1, .prompt_tokens = 1, .cost_nano_usd = 1}},
            {"free", {.requests = 2, .completion_tokens = 3}},
            {"half", {.requests = 3, .errors = 1, .cost_nano_usd = 12'500'000'000, .unpriced_requests = 1}},
            {"mystery", {.requests = 4, .cache_read_tokens = 5, .reasoning_tokens = 6, .unpriced_requests = 4}},
        };
        for (const auto& entry : report.by_model) {
            report.totals += entry.sums;
        }
        CHECK(app::usage_table(report, {}) ==
              "MODEL    REQUESTS  ERRORS  INPUT  OUTPUT      COST USD  UNPRICED\n"
              "cheap           1       0      1       0   0.000000001\n"
              "free            2       0      0       3   0.000000000\n"
              "half            3       1      0       0  12.500000000         1\n"
              "mystery         4       0      5       6       unknown         4\n"
              "total          10       1      6       9  12.500000001         5\n"
              "\n"
              "UNPRICED: requests for models without a known price; their cost is not in the sums.\n");
    }

    TEST_CASE("a report by key has the names of the keys that are known") {
        storage::usage_report report;
        report.group = storage::usage_group::key;
        report.series = {{std::nullopt, "key_a", {.requests = 1}}, {std::nullopt, "key_b", {.requests = 1}}};
        report.totals = {.requests = 2};
        CHECK(app::usage_table(report, {{"key_a", "mine"}}) ==
              "KEY    NAME  REQUESTS  ERRORS  INPUT  OUTPUT  COST USD\n"
              "key_a  mine         1       0      0       0      0.00\n"
              "key_b               1       0      0       0      0.00\n"
              "total               2       0      0       0      0.00\n");
    }
}
