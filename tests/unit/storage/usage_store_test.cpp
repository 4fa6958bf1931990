#include "storage/usage_store.hpp"

#include "tests/unit/storage/support.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <tuple>
#include <vector>

using namespace concurred;
using namespace concurred::storage;
using namespace concurred::storage::test;
using base::end_reason;
using base::usage_record;

namespace {

struct opened_store {
    explicit opened_store(const std::string& path)
        : database(open_quick(path)), usage(make_sqlite_usage_store(database).value()) {}

    std::size_t add(const std::vector<usage_record>& records) { return usage->apply(records).value(); }
    std::size_t add(const usage_chunk& chunk) { return usage->apply(std::span(&chunk, 1)).value(); }
    usage_sums totals() { return usage->query({.from_day = 0, .to_day = 100'000}).value().totals; }

    sqlite_database database;
    std::unique_ptr<usage_store> usage;
};

usage_source_id source(std::uint8_t last) {
    usage_source_id id{};
    id.back() = last;
    return id;
}

}  // namespace

TEST_SUITE("storage/usage_store") {
    TEST_CASE("a request counts as failed, as an error, as unpriced by how it ended") {
        struct row {
            const char* what;
            std::uint16_t status;
            end_reason end;
            const char* provider;
            bool priced;
            std::uint64_t tokens;
            std::int64_t failed;
            std::int64_t errors;
            std::int64_t unpriced;
        };
        const row rows[] = {
            {"good", 200, end_reason::completed, "openai", true, 9, 0, 0, 0},
            {"good, model without a price", 200, end_reason::completed, "openai", false, 9, 0, 0, 1},
            {"image without tokens or price", 200, end_reason::completed, "minimax", false, 0, 0, 0, 1},
            {"client went away", 200, end_reason::client_closed, "openai", true, 9, 0, 1, 0},
            {"drained", 200, end_reason::drain, "openai", true, 9, 0, 1, 0},
            {"killed", 0, end_reason::aborted, "openai", false, 9, 0, 1, 1},
            {"provider failed at once", 502, end_reason::upstream_error, "openai", false, 0, 0, 1, 0},
            {"provider failed after some tokens", 502, end_reason::upstream_error, "openai", false, 3, 0, 1, 1},
            {"provider's own 400, relayed whole", 400, end_reason::completed, "openai", false, 0, 0, 1, 0},
            {"timeout", 504, end_reason::timeout, "openai", false, 0, 0, 1, 0},
            {"unknown model", 400, end_reason::rejected, "", false, 0, 1, 1, 0},
            {"refused after the provider was chosen", 400, end_reason::rejected, "openai", false, 0, 1, 1, 0},
            {"no provider has a key", 503, end_reason::completed, "", false, 0, 1, 1, 0},
        };
        for (const row& r : rows) {
            CAPTURE(r.what);
            usage_record record = usage();
            record.status = r.status;
            record.end = r.end;
            record.provider = r.provider;
            record.priced = r.priced;
            record.tokens = {.prompt = r.tokens};
            const usage_sums sums = sums_of(record);
            CHECK(sums.requests == 1);
            CHECK(sums.failed == r.failed);
            CHECK(sums.errors == r.errors);
            CHECK(sums.unpriced_requests == r.unpriced);
            CHECK(sums.tokens() == static_cast<std::int64_t>(r.tokens));
        }
    }

    TEST_CASE("a provider's nonsense is bounded and blocks nothing") {
        const temp_folder folder;
        opened_store store(folder.file("u.db"));
        usage_record record = usage();
        record.tokens = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
        record.cost_nano_usd = INT64_MAX;
        CHECK(sums_of(record).tokens() == 5'000'000'000'000);
        CHECK(sums_of(record).cost_nano_usd == 100'000'000'000'000);
        record.cost_nano_usd = -5;
        CHECK(sums_of(record).cost_nano_usd == 0);
        REQUIRE(store.add({record}) == 1);
        REQUIRE(store.database.execute("UPDATE usage_daily SET prompt_tokens = 4611686018427387904").has_value());
        CHECK(store.add({record}) == 1);  // the sum stays where it is
        CHECK(store.totals().requests == 2);
        CHECK(store.totals().prompt_tokens == 4'611'686'018'427'387'904);
    }

    TEST_CASE("requests of one day, owner, key, model, provider and kind of provider key share a row") {
        const temp_folder folder;
        opened_store store(folder.file("u.db"));
        usage_record reasoning = usage();
        reasoning.tokens = {.prompt = 1, .cache_read = 2, .cache_write = 3, .completion = 4, .reasoning = 5};
        reasoning.estimated = true;
        usage_record own_key = usage();
        own_key.byok = true;
        CHECK(store.add({usage(), usage(), reasoning, own_key, usage(20'001)}) == 5);
        CHECK(store.add({usage()}) == 1);
        CHECK(store.database.integer("SELECT count(*) FROM usage_daily").value() == 3);
        const usage_sums sums = store.totals();
        CHECK(sums.requests == 6);
        CHECK(sums.prompt_tokens == 51);
        CHECK(sums.cache_read_tokens == 2);
        CHECK(sums.cache_write_tokens == 3);
        CHECK(sums.completion_tokens == 29);
        CHECK(sums.reasoning_tokens == 5);
        CHECK(sums.tokens() == 90);
        CHECK(sums.cost_nano_usd == 12'000);
        CHECK(sums.estimated_requests == 1);
    }

    TEST_CASE("an empty batch changes nothing") {
        const temp_folder folder;
        opened_store store(folder.file("u.db"));
        CHECK(store.add(std::vector<usage_record>{}) == 0);
        CHECK(store.add({source(1), 1, {}}) == 0);
        CHECK(store.totals() == usage_sums());
    }

    TEST_CASE("numbered records count once, however they are repeated and cut") {
        const temp_folder folder;
        opened_store store(folder.file("u.db"));
        std::vector<usage_record> records;
        for (int i = 0; i < 10; ++i) {
            records.push_back(usage(20'000 + i));
        }
        const std::span<const usage_record> all(records);
        CHECK(store.add({source(1), 1, all.subspan(0, 4)}) == 4);
        CHECK(store.add({source(1), 1, all.subspan(0, 4)}) == 0);  // the same again
        CHECK(store.add({source(1), 3, all.subspan(2, 4)}) == 2);  // overlaps
        CHECK(store.add({source(1), 2, all.subspan(1, 3)}) == 0);  // lies within
        CHECK(store.add({source(2), 1, all.subspan(0, 4)}) == 4);  // another source
        const usage_chunk both[] = {{source(1), 5, all.subspan(4, 6)}, {source(1), 5, all.subspan(4, 6)}};
        CHECK(store.usage->apply(both).value() == 4);  // twice in one batch
        CHECK(store.totals().requests == 14);
    }

    TEST_CASE("a batch that fails leaves nothing behind and can be repeated") {
        const temp_folder folder;
        opened_store store(folder.file("u.db"));
        const std::vector<usage_record> records{usage(1), usage(2)};
        const usage_chunk chunk{source(1), 1, records};
        REQUIRE(store.database.execute("ALTER TABLE usage_daily RENAME TO hidden").has_value());
        CHECK(!store.usage->apply(std::span(&chunk, 1)).has_value());
        REQUIRE(store.database.execute("ALTER TABLE hidden RENAME TO usage_daily").has_value());
        CHECK(store.totals().requests == 0);
        CHECK(store.add(chunk) == 2);
        CHECK(store.totals().requests == 2);
    }

    TEST_CASE("sources that ended long ago are forgotten") {
        const temp_folder folder;
        opened_store store(folder.file("u.db"));
        const std::vector<usage_record> old{usage(10'000)};
        const std::vector<usage_record> recent{usage(10'400)};
        const std::vector<usage_record> now{usage(10'401)};
        store.add({source(1), 1, old});
        store.add({source(2), 1, recent});
        CHECK(store.database.integer("SELECT count(*) FROM usage_source").value() == 2);
        store.add({source(3), 1, now});
        CHECK(store.database.integer("SELECT count(*) FROM usage_source").value() == 2);
        CHECK(store.add({source(2), 1, recent}) == 0);
    }

    TEST_CASE("a report covers both end days and only the owner and key asked for") {
        const temp_folder folder;
        opened_store store(folder.file("u.db"));
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
        opened_store store(folder.file("u.db"));
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
        opened_store store(folder.file("u.db"));
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
            // Cut into numbered chunks of random sizes; some are sent twice, and batches hold several of them.
            std::vector<usage_chunk> chunks;
            for (std::size_t from = 0; from < records.size();) {
                const std::size_t size = std::min<std::size_t>(1 + below(90), records.size() - from);
                chunks.push_back({source(static_cast<std::uint8_t>(1 + chunks.size())), 1,
                                  std::span<const usage_record>(records).subspan(from, size)});
                from += size;
            }
            for (std::size_t i = chunks.size(); i-- > 0;) {
                if (below(3) == 0) {
                    chunks.push_back(chunks[i]);
                }
            }
            std::shuffle(chunks.begin(), chunks.end(), random);
            const temp_folder folder;
            opened_store store(folder.file("u.db"));
            for (std::size_t from = 0; from < chunks.size();) {
                const std::size_t size = std::min<std::size_t>(1 + below(4), chunks.size() - from);
                REQUIRE(store.usage->apply(std::span<const usage_chunk>(chunks).subspan(from, size)).has_value());
                from += size;
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

    TEST_CASE("two processes add to the same rows without losing any") {
        const temp_folder folder;
        const std::string path = folder.file("u.db");
        { open_quick(path); }
        const auto work = [&path](std::uint8_t child) {
            sqlite_options options;
            options.durable = false;
            auto database = open_migrated(path, options).value();
            auto store = make_sqlite_usage_store(database).value();
            const std::vector<usage_record> records(5, usage());
            for (std::uint64_t i = 0; i < 60; ++i) {
                const usage_chunk chunk{source(child), 1 + 5 * i, records};
                if (!store->apply(std::span(&chunk, 1))) {
                    return 1;
                }
            }
            return 0;
        };
        const pid_t first = start_child([&] { return work(1); });
        const pid_t second = start_child([&] { return work(2); });
        CHECK(join_child(first) == 0);
        CHECK(join_child(second) == 0);
        opened_store store(path);
        CHECK(store.totals().requests == 600);
        CHECK(store.totals().cost_nano_usd == 600 * 2'000);
    }

    TEST_CASE("reports use an index, whatever is asked") {
        const temp_folder folder;
        opened_store store(folder.file("u.db"));
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
