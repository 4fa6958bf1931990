// What every store of keys and usage must do, whatever database is behind it.

#include "gateway/base/clock.hpp"
#include "tests/unit/storage/each_store.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

using namespace concurred;
using namespace concurred::storage;
using namespace concurred::storage::test;
using base::usage_record;

namespace {

std::int32_t today() {
    return base::unix_day(std::chrono::system_clock::now());
}

}  // namespace

TEST_SUITE("storage/store_contract") {
    TEST_CASE("usage counts once by its id, however it is repeated, cut and mixed") {
        with_each([](const opener& open) {
            stores s = open();
            std::vector<usage_record> records;
            for (int i = 0; i < 700; ++i) {
                records.push_back(usage(today() - i % 40, i % 2 == 0 ? "a" : "b", i % 3 == 0 ? "key_1" : "key_2"));
                records.back().byok = i % 5 == 0;
                records.back().estimated = i % 7 == 0;
            }
            const std::span<const usage_record> all(records);
            CHECK(s.usage->apply(all.subspan(300, 400)).value() == 400);
            CHECK(s.usage->apply(all.subspan(0, 400)).value() == 300);
            CHECK(s.usage->apply(all).value() == 0);
            const usage_record last = usage(today());
            const usage_record* const twice[] = {&last, &last};
            CHECK(s.usage->apply(usage_batch(twice)).value() == 1);
            usage_record changed = last;
            changed.cost_nano_usd = 1;
            CHECK(s.usage->apply(std::span<const usage_record>(&changed, 1)).value() == 0);
            const usage_sums sums = s.totals();
            CHECK(sums.requests == 701);
            CHECK(sums.prompt_tokens == 7'010);
            CHECK(sums.completion_tokens == 3'505);
            CHECK(sums.cost_nano_usd == 701 * 2'000);
            CHECK(sums.estimated_requests == 100);
            CHECK(s.usage->apply(std::span<const usage_record>()).value() == 0);
        });
    }

    TEST_CASE("reports by day, model, key, provider and owner") {
        with_each([](const opener& open) {
            stores s = open();
            usage_record failed = usage(today(), "a");
            failed.status = 502;
            failed.end = base::end_reason::upstream_error;
            failed.tokens = {};
            usage_record unpriced = usage(today(), "c");
            unpriced.priced = false;
            unpriced.cost_nano_usd = 0;
            unpriced.provider = "other";
            const std::vector<usage_record> records{usage(today(), "a"), usage(today() - 1, "a"), failed, unpriced,
                                                    usage(today(), "a", "key_9", "somebody")};
            REQUIRE(s.usage->apply(records).value() == 5);
            usage_query query{.owner = "owner-1", .from_day = today() - 1, .to_day = today()};
            query.interval = usage_interval::day;
            query.group = usage_group::provider;
            const usage_report report = s.usage->query(query).value();
            CHECK(report.totals.requests == 4);
            CHECK(report.totals.errors == 1);
            CHECK(report.totals.failed == 0);
            CHECK(report.totals.unpriced_requests == 1);
            REQUIRE(report.by_model.size() == 2);
            CHECK(report.by_model[0].name == "a");
            REQUIRE(report.series.size() == 3);
            CHECK(report.series[0].day == today() - 1);
            CHECK(report.series[1].name == "openai");
            CHECK(report.series[1].sums.requests == 2);
            query.provider = "other";
            CHECK(s.usage->query(query).value().totals.requests == 1);
            query.provider.reset();
            query.key_id = "key_9";
            CHECK(s.usage->query(query).value().totals.requests == 0);
            query.owner.reset();
            CHECK(s.usage->query(query).value().totals.requests == 1);
        });
    }

    TEST_CASE("a request is found by its id and its owner, with all its figures, whatever its texts hold") {
        with_each([](const opener& open) {
            stores s = open();
            usage_record r = usage(today(), "m\"\\{},", "key_7", "owner-7");
            r.status = 201;
            r.end = base::end_reason::client_closed;
            r.byok = r.stream = r.estimated = true;
            r.price_version = 20'260'901;
            r.tokens = {1, 2, 3, 4, 5};
            r.reserved_tokens = 6;
            r.latency_ms = 7;
            r.first_token_ms = 8;
            r.endpoint = "/e";
            r.model_requested = std::string_view("a\0b\xff", 4);
            r.upstream_request_id = "NULL";
            REQUIRE(s.usage->apply(std::vector<usage_record>{usage(today()), r}).value() == 2);
            const auto found = s.usage->find("owner-7", r.id).value();
            REQUIRE(found.has_value());
            CHECK(found->day == today());
            CHECK(found->admitted_ms == r.admitted_ms);
            CHECK(found->status == 201);
            CHECK(found->end == base::end_reason::client_closed);
            CHECK((found->byok && found->stream && found->estimated && found->priced));
            CHECK(found->price_version == 20'260'901);
            CHECK(found->tokens.prompt == 1);
            CHECK(found->tokens.cache_read == 2);
            CHECK(found->tokens.cache_write == 3);
            CHECK(found->tokens.completion == 4);
            CHECK(found->tokens.reasoning == 5);
            CHECK(found->reserved_tokens == 6);
            CHECK(found->cost_nano_usd == 2'000);
            CHECK(found->latency_ms == 7);
            CHECK(found->first_token_ms == 8);
            CHECK(found->model.view() == "m\"\\{},");
            CHECK(found->upstream_request_id.view() == "NULL");
            CHECK(!s.usage->find("somebody else", r.id).value().has_value());
            CHECK(!s.usage->find(std::nullopt, next_event_id(0)).value().has_value());
        });
    }

    TEST_CASE("old records go, and their sums stay") {
        with_each([](const opener& open) {
            stores s = open();
            const usage_record old = usage(today() - 400);
            const usage_record recent = usage(today());
            REQUIRE(s.usage->apply(std::vector<usage_record>{old, recent}).value() == 2);
            while (s.usage->expire(today() - 62).value()) {
            }
            CHECK(!s.usage->find(std::nullopt, old.id).value().has_value());
            CHECK(s.usage->find(std::nullopt, recent.id).value().has_value());
            CHECK(s.totals().requests == 2);
        });
    }

    TEST_CASE("writers side by side lose nothing and do not block each other for good") {
        with_each([](const opener& open) {
            { stores s = open(); }
            std::vector<std::vector<usage_record>> parts(4);
            for (std::size_t p = 0; p < parts.size(); ++p) {
                for (int i = 0; i < 200; ++i) {
                    parts[p].push_back(usage(today(), "m" + std::to_string((i * 7 + static_cast<int>(p)) % 10)));
                }
            }
            std::vector<std::thread> writers;
            std::atomic<int> failures{0};
            for (std::size_t p = 0; p < parts.size(); ++p) {
                writers.emplace_back([&, p] {
                    stores s = open();
                    const std::span<const usage_record> mine(parts[p]);
                    const std::span<const usage_record> theirs(parts[(p + 1) % parts.size()]);
                    for (std::size_t from = 0; from < mine.size();) {
                        const bool good = s.usage->apply(mine.subspan(from, 20)).has_value() &&
                                          s.usage->apply(theirs.subspan(from, 20)).has_value();
                        from += good ? 20 : 0;
                        failures += good ? 0 : 1;
                        REQUIRE(failures.load() < 1'000);
                    }
                });
            }
            for (auto& writer : writers) {
                writer.join();
            }
            stores s = open();
            CHECK(s.totals().requests == 800);
            CHECK(s.totals().cost_nano_usd == 800 * 2'000);
        });
    }

    TEST_CASE("keys: made, found, listed, changed, revoked, and only by their owner") {
        with_each([](const opener& open) {
            stores s = open();
            api_key_row row = key_row("key_1");
            row.spend = {1'000, 5, 2'000'000'000, 30'000'000'000};
            row.name = "na\"me, \xC3\xA9";
            REQUIRE(s.keys->insert(row).value() == insert_outcome::inserted);
            CHECK(s.keys->insert(row).value() == insert_outcome::duplicate);
            CHECK(s.keys->insert(key_row("key_2"), 1).value() == insert_outcome::owner_full);
            REQUIRE(s.keys->insert(key_row("key_3", "owner-2")).value() == insert_outcome::inserted);
            CHECK(s.keys->count("owner-1").value() == 1);
            const auto found = s.keys->find_by_hash("hash-of-key_1").value();
            REQUIRE(found.has_value());
            CHECK(found->name == row.name);
            CHECK(found->spend == row.spend);
            CHECK(found->enabled);
            CHECK(!found->expires_ms.has_value());
            CHECK(!s.keys->find_by_id("owner-2", "key_1").value().has_value());
            CHECK(ids(s.keys->list(std::nullopt).value()) == std::vector<std::string>{"key_1", "key_3"});
            CHECK(ids(s.keys->list("owner-2").value()) == std::vector<std::string>{"key_3"});

            api_key_patch patch;
            patch.enabled = false;
            patch.expires_ms = std::optional<std::int64_t>(99);
            patch.tokens_per_minute = 0;
            CHECK(!s.keys->update("owner-2", "key_1", patch, 5).value().has_value());
            const auto updated = s.keys->update("owner-1", "key_1", patch, 5).value();
            REQUIRE(updated.has_value());
            CHECK(updated->updated_ms == 5);
            CHECK(s.keys->find_by_id(std::nullopt, "key_1").value()->spend.tokens_per_minute == 0);
            CHECK(s.keys->find_by_id(std::nullopt, "key_1").value()->expires_ms == 99);
            const auto number = s.keys->last_change().value();
            CHECK(s.keys->update("owner-1", "key_1", patch, 6).value()->updated_ms == 5);  // nothing to change
            CHECK(s.keys->last_change().value() == number);

            REQUIRE(s.keys->revoke(std::nullopt, "key_1", 7).value().has_value());
            CHECK(!s.keys->revoke(std::nullopt, "key_1", 8).value().has_value());
            CHECK(!s.keys->find_by_hash("hash-of-key_1").value().has_value());
            CHECK(s.keys->insert(row).value() == insert_outcome::duplicate);  // it never comes back
            CHECK(s.keys->count("owner-1").value() == 0);
            CHECK(ids(s.keys->changed_since(0).value()) == std::vector<std::string>{"key_3", "key_1"});
            CHECK(s.keys->changed_since(s.keys->last_change().value()).value().empty());
        });
    }

    TEST_CASE("others learn of a changed key, and use alone is no change") {
        with_each([](const opener& open) {
            stores mine = open();
            stores theirs = open();
            REQUIRE(theirs.keys->insert(key_row("key_1")).value() == insert_outcome::inserted);
            CHECK(ids(mine.changes->poll().value()) == std::vector<std::string>{"key_1"});
            CHECK(mine.changes->poll().value().empty());
            const std::vector<key_use> uses{{"key_1", 1'000'000}, {"nobody", 5}};
            REQUIRE(theirs.keys->touch_last_used(uses).has_value());
            CHECK(mine.changes->poll().value().empty());
            CHECK(mine.keys->find_by_id(std::nullopt, "key_1").value()->last_used_ms == 1'000'000);
            const std::vector<key_use> soon{{"key_1", 1'000'000 + last_used_step_ms - 1}};
            REQUIRE(theirs.keys->touch_last_used(soon).has_value());
            CHECK(mine.keys->find_by_id(std::nullopt, "key_1").value()->last_used_ms == 1'000'000);
        });
    }
}
