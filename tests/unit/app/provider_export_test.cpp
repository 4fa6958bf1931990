#include "gateway/app/provider_export.hpp"

#include "gateway/app/reconcile_command.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

using namespace concurred;
using namespace concurred::app;

namespace {

constexpr std::int32_t nov_23 = 20'780;  // 2026-11-23

std::vector<exported_usage> read(std::string_view text) {
    return read_provider_export(text).value();
}

storage::usage_report booked(const std::string& model, storage::usage_sums sums) {
    storage::usage_report report;
    report.series.push_back({nov_23, model, sums});
    return report;
}

}  // namespace

TEST_SUITE("app/provider_export") {
    TEST_CASE("CSV with a provider's own columns, in their order, with the same day and model added up") {
        const auto rows = read(
            "start_time_iso,project_id,num_model_requests,model,input_tokens,output_tokens\r\n"
            "2026-11-23T00:00:00+00:00,p1,3,gpt-5.2-2025-12-11,100,20\r\n"
            "2026-11-23T00:00:00+00:00,p2,1,gpt-5.2-2025-12-11,11,2\r\n"
            "2026-11-24T00:00:00+00:00,p1,1,\"with, comma\",7,\r\n");
        REQUIRE(rows.size() == 2);
        CHECK(rows[0].day == nov_23);
        CHECK(rows[0].model == "gpt-5.2-2025-12-11");
        CHECK(rows[0].requests == 4);
        CHECK(rows[0].input_tokens == 111);
        CHECK(rows[0].output_tokens == 22);
        CHECK(rows[1].model == "with, comma");
        CHECK(rows[1].output_tokens == 0);
    }

    TEST_CASE("the CSV of Anthropic's console: classes of input tokens, no requests") {
        const auto rows = read(
            "\xEF\xBB\xBFusage_date_utc,model_version,api_key,workspace,usage_type,context_window,"
            "usage_input_tokens_no_cache,usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,"
            "usage_input_tokens_cache_read,usage_output_tokens,web_search_count,inference_geo,speed\n"
            "2026-11-23,claude-opus-5,App,Default,standard,\xE2\x89\xA4 200k,10,30,40,20,5,0,global,\n");
        REQUIRE(rows.size() == 1);
        CHECK(!rows[0].requests.has_value());
        CHECK(rows[0].input_tokens == 100);
        CHECK(rows[0].output_tokens == 5);
    }

    TEST_CASE("minutes of OpenAI's CSV without usage are passed over") {
        const auto rows = read(
            "start_time,end_time,start_time_iso,end_time_iso,model,num_model_requests,input_tokens,output_tokens\n"
            "1795392000,1795392060,2026-11-23T00:00:00+00:00,2026-11-23T00:01:00+00:00,,,,\n"
            "1795392060,1795392120,2026-11-23T00:01:00+00:00,2026-11-23T00:02:00+00:00,gpt-5.2,1,2,3\n");
        REQUIRE(rows.size() == 1);
        CHECK(rows[0].model == "gpt-5.2");
    }

    TEST_CASE("the JSON of Anthropic's usage API, in pages") {
        const auto rows = read(
            R"([{"data":[{"starting_at":"2026-11-23T00:00:00Z","ending_at":"2026-11-24T00:00:00Z","results":[
            {"uncached_input_tokens":5,"cache_creation":{"ephemeral_1h_input_tokens":10,"ephemeral_5m_input_tokens":20},
             "cache_read_input_tokens":40,"output_tokens":6,"server_tool_use":{"web_search_requests":9},
             "api_key_id":null,"workspace_id":null,"model":"claude-opus-5","service_tier":null,"context_window":null}]}],
            "has_more":true,"next_page":"page_x"},
            {"data":[{"starting_at":"2026-11-24T00:00:00Z","ending_at":"2026-11-25T00:00:00Z","results":[]}],
             "has_more":false,"next_page":null}])");
        REQUIRE(rows.size() == 1);
        CHECK(rows[0].day == nov_23);
        CHECK(!rows[0].requests.has_value());
        CHECK(rows[0].input_tokens == 75);
        CHECK(rows[0].output_tokens == 6);
    }

    TEST_CASE("the JSON of a usage API") {
        const auto rows =
            read(R"({"object":"page","data":[{"object":"bucket","start_time":1795392000,"end_time":1795478400,
            "results":[{"input_tokens":5,"output_tokens":6,"num_model_requests":2,"model":"gpt-5.2","project_id":null}]}]})");
        REQUIRE(rows.size() == 1);
        CHECK(rows[0].day == nov_23);
        CHECK(rows[0].model == "gpt-5.2");
        CHECK(rows[0].requests == 2);
        CHECK(rows[0].input_tokens == 5);
    }

    TEST_CASE("what cannot be read is named") {
        const struct {
            std::string_view text;
            std::string_view part;
        } rows[] = {
            {"", "empty"},
            {"a,b\n1,2\n", "names no column for a day"},
            {"date,b\n", "names no column for a model"},
            {"date,model,requests\n2026-11-23,m,x\n", "line 2, column 3"},
            {"date,model,requests\n2026-13-23,m,1\n", "line 2, column 1"},
            {R"({"data":[{"results":[]}]})", "start_time"},
            {R"({"data":[{"start_time":1,"results":[{"input_tokens":5}]}]})", "no 'model'"},
            {R"({"data":)", "export"},
            {R"({"results":[]})", "no 'data'"},
            {R"({"data":[],"has_more":true})", "more follow"},
            {"date,model\n2026-11-23,m\n", "no column of requests or tokens"},
            {"date,model,requests\n2026-11-23,,1\n", "line 2 names no model"},
        };
        for (const auto& row : rows) {
            CAPTURE(row.text);
            const auto outcome = read_provider_export(row.text);
            REQUIRE(!outcome.has_value());
            CHECK(outcome.error().message.find(row.part) != std::string::npos);
        }
    }
}

TEST_SUITE("app/reconcile_command") {
    TEST_CASE("equal books, a version with its date, and differences that estimates explain or do not") {
        const storage::usage_sums ours{.requests = 5,
                                       .failed = 1,
                                       .errors = 1,
                                       .prompt_tokens = 60,
                                       .cache_read_tokens = 40,
                                       .completion_tokens = 15,
                                       .reasoning_tokens = 5};
        exported_usage theirs{nov_23, "gpt-5.2-2025-12-11", 4, 100, 20};
        auto found = reconcile(std::vector{theirs}, booked("gpt-5.2", ours));
        CHECK(found.lines == 1);
        CHECK(found.unexplained == 0);
        CHECK(found.table.find("equal") != std::string::npos);

        theirs.output_tokens = 25;
        found = reconcile(std::vector{theirs}, booked("gpt-5.2", ours));
        CHECK(found.unexplained == 1);
        CHECK(found.table.find("+5") != std::string::npos);

        storage::usage_sums estimated = ours;
        estimated.estimated_requests = 1;
        CHECK(reconcile(std::vector{theirs}, booked("gpt-5.2", estimated)).unexplained == 0);
        theirs.requests = 9;
        CHECK(reconcile(std::vector{theirs}, booked("gpt-5.2", estimated)).unexplained == 1);
    }

    TEST_CASE("a model that only one side knows is a difference") {
        const std::vector theirs{exported_usage{nov_23, "other", 1, 5, 5}};
        const auto found = reconcile(theirs, booked("gpt-5.2", {.requests = 1, .prompt_tokens = 5}));
        CHECK(found.lines == 2);
        CHECK(found.unexplained == 2);
        // Another model whose name merely begins the same is no version of it.
        const std::vector mini{exported_usage{nov_23, "gpt-5.2-mini", 1, 5, 0}};
        CHECK(reconcile(mini, booked("gpt-5.2", {.requests = 1, .prompt_tokens = 5})).lines == 2);
    }
}
