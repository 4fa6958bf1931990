#include "storage/usage_store.hpp"

#include "tests/unit/storage/support.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace concurred;
using namespace concurred::storage;
using namespace concurred::storage::test;
using base::end_reason;
using base::usage_record;

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
        opened_usage store(folder.file("u.db"));
        usage_record record = usage();
        record.tokens = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
        record.cost_nano_usd = INT64_MAX;
        CHECK(sums_of(record).tokens() == 5'000'000'000'000);
        CHECK(sums_of(record).cost_nano_usd == 100'000'000'000'000);
        record.cost_nano_usd = -5;
        CHECK(sums_of(record).cost_nano_usd == 0);
        REQUIRE(store.add({record}) == 1);
        REQUIRE(store.database.execute("UPDATE usage_daily SET prompt_tokens = 4611686018427387904").has_value());
        record.id = next_event_id(0);
        CHECK(store.add({record}) == 1);  // the sum stays where it is
        CHECK(store.totals().requests == 2);
        CHECK(store.totals().prompt_tokens == 4'611'686'018'427'387'904);
    }

    TEST_CASE("requests of one day, owner, key, model, provider and kind of provider key share a row") {
        const temp_folder folder;
        opened_usage store(folder.file("u.db"));
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
        opened_usage store(folder.file("u.db"));
        CHECK(store.add(std::vector<usage_record>{}) == 0);
        CHECK(store.totals() == usage_sums());
    }

    TEST_CASE("records count once by their id, however they are repeated, cut and mixed") {
        const temp_folder folder;
        opened_usage store(folder.file("u.db"));
        std::vector<usage_record> records;
        for (int i = 0; i < 10; ++i) {
            records.push_back(usage(20'000 + i));
        }
        const std::span<const usage_record> all(records);
        CHECK(store.usage->apply(all.subspan(4, 4)).value() == 4);
        CHECK(store.usage->apply(all.subspan(0, 4)).value() == 4);  // older ones after newer ones
        CHECK(store.usage->apply(all.subspan(0, 4)).value() == 0);  // the same again
        CHECK(store.usage->apply(all.subspan(6, 4)).value() == 2);  // overlaps
        const usage_record last = usage();
        const usage_record* const twice[] = {&last, &last};
        CHECK(store.usage->apply(usage_batch(twice)).value() == 1);  // twice in one batch
        CHECK(store.totals().requests == 11);
        usage_record changed = last;
        changed.cost_nano_usd = 1;
        CHECK(store.add({changed}) == 0);  // the first one stands
        CHECK(store.totals().cost_nano_usd == 11 * 2'000);
        CHECK(store.database.integer("SELECT count(*) FROM usage_event").value() == 11);
    }

    TEST_CASE("records whose ids lead to the same place are told apart") {
        const temp_folder folder;
        opened_usage store(folder.file("u.db"));
        std::vector<usage_record> records;
        for (int i = 0; i < 5; ++i) {
            records.push_back(usage());
            records.back().id = records.front().id;
            records.back().id[7] = static_cast<std::uint8_t>(i);  // between time and what is hashed
            records.back().latency_ms = static_cast<std::uint32_t>(i);
        }
        const std::span<const usage_record> all(records);
        CHECK(store.usage->apply(all.subspan(0, 2)).value() == 2);  // together
        CHECK(store.usage->apply(all.subspan(1, 3)).value() == 2);  // one is there, and others of its place are not
        CHECK(store.usage->apply(all.subspan(4, 1)).value() == 1);  // alone
        CHECK(store.usage->apply(all).value() == 0);
        for (const usage_record& record : records) {
            const auto found = store.usage->find(std::nullopt, record.id).value();
            REQUIRE(found.has_value());
            CHECK(found->id == record.id);
            CHECK(found->latency_ms == record.latency_ms);
        }
        usage_record unknown = records.front();
        unknown.id[7] = 99;
        CHECK(!store.usage->find(std::nullopt, unknown.id).value().has_value());
        CHECK(store.totals().requests == 5);
        CHECK(!store.usage->expire(20'001).value());
        CHECK(store.database.integer("SELECT count(*) FROM usage_event").value() == 0);
    }

    TEST_CASE("a request is found by its id and its owner") {
        const temp_folder folder;
        opened_usage store(folder.file("u.db"));
        usage_record r = usage(20'000, "m", "key_7", "owner-7");
        r.status = 201;
        r.end = end_reason::client_closed;
        r.byok = r.stream = r.estimated = true;
        r.price_version = 20'260'901;
        r.tokens = {1, 2, 3, 4, 5};
        r.reserved_tokens = 6;
        r.latency_ms = 7;
        r.first_token_ms = 8;
        r.endpoint = "/e";
        r.model_requested = "alias";
        r.upstream_request_id = "up";
        store.add({usage(), r});
        const auto found = store.usage->find("owner-7", r.id).value();
        REQUIRE(found.has_value());
        CHECK(found->id == r.id);
        CHECK(found->day == 20'000);
        CHECK(found->admitted_ms == r.admitted_ms);
        CHECK(found->status == 201);
        CHECK(found->end == end_reason::client_closed);
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
        CHECK(found->key_id.view() == "key_7");
        CHECK(found->endpoint.view() == "/e");
        CHECK(found->provider.view() == "openai");
        CHECK(found->model_requested.view() == "alias");
        CHECK(found->model.view() == "m");
        CHECK(found->upstream_request_id.view() == "up");
        CHECK(!store.usage->find("somebody else", r.id).value().has_value());
        CHECK(store.usage->find(std::nullopt, r.id).value().has_value());
        CHECK(!store.usage->find(std::nullopt, next_event_id(0)).value().has_value());
    }

    TEST_CASE("old records go, bit by bit, and their sums stay") {
        const temp_folder folder;
        opened_usage store(folder.file("u.db"));
        std::vector<usage_record> records;
        for (int i = 0; i < 6'000; ++i) {
            records.push_back(usage(10'000));
        }
        const usage_record kept = usage(10'001);
        records.push_back(kept);
        store.add(records);
        int calls = 1;
        while (store.usage->expire(10'001).value()) {
            ++calls;
        }
        CHECK(calls == 2);
        CHECK(store.database.integer("SELECT count(*) FROM usage_event").value() == 1);
        CHECK(store.usage->find(std::nullopt, kept.id).value().has_value());
        CHECK(store.totals().requests == 6'001);
    }

    TEST_CASE("a batch that fails leaves nothing behind and can be repeated") {
        const temp_folder folder;
        opened_usage store(folder.file("u.db"));
        const std::vector<usage_record> records{usage(1), usage(2)};
        REQUIRE(store.database.execute("ALTER TABLE usage_daily RENAME TO hidden").has_value());
        CHECK(!store.usage->apply(records).has_value());
        REQUIRE(store.database.execute("ALTER TABLE hidden RENAME TO usage_daily").has_value());
        CHECK(store.totals().requests == 0);
        CHECK(store.database.integer("SELECT count(*) FROM usage_event").value() == 0);
        CHECK(store.add(records) == 2);
        CHECK(store.totals().requests == 2);
    }

    TEST_CASE("two processes add to the same rows without losing any") {
        const temp_folder folder;
        const std::string path = folder.file("u.db");
        { open_quick(path); }
        const auto work = [&path] {
            sqlite_options options;
            options.durable = false;
            auto database = open_migrated(path, options).value();
            auto store = make_sqlite_usage_store(database).value();
            for (int i = 0; i < 60; ++i) {
                const std::vector<usage_record> records{usage(), usage(), usage(), usage(), usage()};
                if (!store->apply(records)) {
                    return 1;
                }
            }
            return 0;
        };
        const pid_t first = start_child([&] { return work(); });
        const pid_t second = start_child([&] { return work(); });
        CHECK(join_child(first) == 0);
        CHECK(join_child(second) == 0);
        opened_usage store(path);
        CHECK(store.totals().requests == 600);
        CHECK(store.totals().cost_nano_usd == 600 * 2'000);
    }
}
