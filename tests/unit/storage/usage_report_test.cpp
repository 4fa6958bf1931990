#include "storage/usage_store.hpp"

#include "tests/unit/storage/support.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>
#include <tuple>
#include <vector>

using namespace concurred;
using namespace concurred::storage;
using namespace concurred::storage::test;
using base::end_reason;
using base::usage_record;

TEST_SUITE("storage/usage_report") {
    TEST_CASE("a report covers both end days and only the owner and key asked for") {
        const temp_folder folder;
        opened_usage store(folder.file("u.db"));
        store.add({usage(99), usage(100), usage(101), usage(102), usage(103), usage(101, "gpt-5.2", "key_2"),
                   usage(101, "gpt-5.2", "key_1", "owner-2")});
        const auto requests = [&](usage_query query) { return store.usage->query(query).value().totals.requests; };
        CHECK(requests({.owner = "owner-1", .from_day = 100, .to_day = 102}) == 4);
        CHECK(requests({.owner = "owner-1", .from_day = 101, .to_day = 101}) == 2);
        CHECK(requests({.owner = "owner-1", .key_id = "key_2", .from_day = 0, .to_day = 200}) == 1);
        CHECK(requests({.owner = "owner-2", .key_id = "key_2", .from_day = 0, .to_day = 200}) == 0);
        CHECK(requests({.owner = "' OR 1=1 --", .from_day = 0, .to_day = 200}) == 0);
        CHECK(requests({.owner = "", .from_day = 0, .to_day = 200}) == 0);
        CHECK(requests({.key_id = "key_1", .from_day = 0, .to_day = 200}) == 6);
        CHECK(requests({.from_day = 0, .to_day = 200}) == 7);
        CHECK(requests({.from_day = 102, .to_day = 100}) == 0);
    }

    TEST_CASE("models are sorted, and requests without one are under 'unknown'") {
        const temp_folder folder;
        opened_usage store(folder.file("u.db"));
        store.add({usage(1, "zeta"), usage(1, ""), usage(2, "alpha"), usage(2, "unknown"), usage(3, "Zeta")});
        const usage_report report = store.usage->query({.from_day = 0, .to_day = 9}).value();
        REQUIRE(report.by_model.size() == 4);
        CHECK(report.by_model[0].name == "Zeta");
        CHECK(report.by_model[1].name == "alpha");
        CHECK(report.by_model[2].name == "unknown");
        CHECK(report.by_model[2].sums.requests == 2);
        CHECK(report.by_model[3].name == "zeta");
        CHECK(report.series.empty());
    }

    TEST_CASE("a series is by day, by name or by both, in that order") {
        const temp_folder folder;
        opened_usage store(folder.file("u.db"));
        store.add({usage(2, "b", "key_1"), usage(1, "a", "key_2"), usage(2, "a", "key_1"), usage(2, "a", "key_1")});
        struct row {
            usage_interval interval;
            usage_group group;
            std::vector<std::tuple<std::optional<std::int32_t>, std::string, std::int64_t>> points;
        };
        const std::vector<row> rows{
            {usage_interval::none, usage_group::none, {}},
            {usage_interval::day, usage_group::none, {{1, "", 1}, {2, "", 3}}},
            {usage_interval::none, usage_group::model, {{std::nullopt, "a", 3}, {std::nullopt, "b", 1}}},
            {usage_interval::none, usage_group::key, {{std::nullopt, "key_1", 3}, {std::nullopt, "key_2", 1}}},
            {usage_interval::none, usage_group::provider, {{std::nullopt, "openai", 4}}},
            {usage_interval::day, usage_group::model, {{1, "a", 1}, {2, "a", 2}, {2, "b", 1}}},
            {usage_interval::day, usage_group::key, {{1, "key_2", 1}, {2, "key_1", 3}}},
        };
        for (const row& r : rows) {
            const usage_report report =
                store.usage->query({.from_day = 0, .to_day = 9, .interval = r.interval, .group = r.group}).value();
            REQUIRE(report.series.size() == r.points.size());
            for (std::size_t i = 0; i < r.points.size(); ++i) {
                const auto& [day, name, requests] = r.points[i];
                CHECK(report.series[i].day == day);
                CHECK(report.series[i].name == name);
                CHECK(report.series[i].sums.requests == requests);
            }
        }
    }

    TEST_CASE("totals equal the sum over the models and over any series, in whatever order batches arrive") {
        for (std::uint32_t seed = 1; seed <= 12; ++seed) {
            CAPTURE(seed);
            std::mt19937 random(seed);
            const auto below = [&random](std::uint32_t n) { return random() % n; };
            const char* const models[] = {"gpt-5.2", "claude-sonnet-4-5-20250929", "", "unknown", "gemini"};
            const char* const providers[] = {"openai", "anthropic", ""};
            std::vector<usage_record> records;
            usage_sums expected;  // of owner-1, summed here field by field
            for (int i = 0; i < 700; ++i) {
                usage_record r = usage(20'000 + static_cast<std::int32_t>(below(5)), models[below(5)],
                                       "key_" + std::to_string(below(3)), below(4) == 0 ? "owner-2" : "owner-1");
                r.provider = providers[below(3)];
                r.byok = below(2) == 0;
                r.estimated = below(5) == 0;
                r.tokens = {below(1'000), below(1'000), below(1'000), below(1'000), below(1'000)};
                r.cost_nano_usd = below(1'000'000'000);
                r.end = below(6) == 0 ? end_reason::client_closed : end_reason::completed;
                records.push_back(r);
                if (r.owner == "owner-1") {
                    expected.requests += 1;
                    expected.prompt_tokens += static_cast<std::int64_t>(r.tokens.prompt);
                    expected.cache_read_tokens += static_cast<std::int64_t>(r.tokens.cache_read);
                    expected.cache_write_tokens += static_cast<std::int64_t>(r.tokens.cache_write);
                    expected.completion_tokens += static_cast<std::int64_t>(r.tokens.completion);
                    expected.reasoning_tokens += static_cast<std::int64_t>(r.tokens.reasoning);
                    expected.cost_nano_usd += r.cost_nano_usd;
                    expected.estimated_requests += r.estimated ? 1 : 0;
                    expected.errors += r.end == end_reason::completed ? 0 : 1;
                }
            }
            // Cut into pieces of random sizes; some are sent twice, and in any order.
            std::vector<std::span<const usage_record>> chunks;
            for (std::size_t from = 0; from < records.size();) {
                const std::size_t size = std::min<std::size_t>(1 + below(90), records.size() - from);
                chunks.push_back(std::span<const usage_record>(records).subspan(from, size));
                from += size;
            }
            for (std::size_t i = chunks.size(); i-- > 0;) {
                if (below(3) == 0) {
                    chunks.push_back(chunks[i]);
                }
            }
            std::shuffle(chunks.begin(), chunks.end(), random);
            const temp_folder folder;
            opened_usage store(folder.file("u.db"));
            for (const auto& chunk : chunks) {
                REQUIRE(store.usage->apply(chunk).has_value());
            }
            for (const auto interval : {usage_interval::none, usage_interval::day}) {
                for (const auto group :
                     {usage_group::none, usage_group::model, usage_group::key, usage_group::provider}) {
                    const usage_report report = store.usage
                                                    ->query({.owner = "owner-1",
                                                             .from_day = 20'000,
                                                             .to_day = 20'004,
                                                             .interval = interval,
                                                             .group = group})
                                                    .value();
                    CHECK(report.totals == expected);
                    usage_sums models_sum;
                    for (const usage_entry& entry : report.by_model) {
                        models_sum += entry.sums;
                    }
                    CHECK(report.totals == models_sum);
                    CHECK(std::is_sorted(report.by_model.begin(), report.by_model.end(),
                                         [](const auto& a, const auto& b) { return a.name < b.name; }));
                    if (interval != usage_interval::none || group != usage_group::none) {
                        usage_sums series_sum;
                        for (const usage_point& point : report.series) {
                            series_sum += point.sums;
                        }
                        CHECK(report.totals == series_sum);
                    }
                }
            }
        }
    }

    TEST_CASE("reports use an index, whatever is asked") {
        const temp_folder folder;
        opened_usage store(folder.file("u.db"));
        for (const char* filter : {"owner = ?3", "key_id = ?3", "owner = ?3 AND key_id = ?4", "1"}) {
            CAPTURE(filter);
            auto plan = store.database
                            .prepare(
                                "EXPLAIN QUERY PLAN SELECT model, sum(requests) FROM usage_daily WHERE day BETWEEN ?1 "
                                "AND ?2 AND " +
                                std::string(filter) + " GROUP BY model")
                            .value();
            sqlite_query rows(plan);
            REQUIRE(rows.next().value());
            CHECK(rows.text(3).starts_with("SEARCH usage_daily USING "));
        }
    }
}
