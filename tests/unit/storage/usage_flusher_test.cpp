#include "storage/usage_flusher.hpp"

#include "storage/database_thread.hpp"
#include "storage/usage_ring.hpp"
#include "storage/usage_store.hpp"
#include "tests/unit/storage/support.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace concurred;
using namespace concurred::storage;
using namespace concurred::storage::test;
using namespace std::chrono_literals;

namespace {

const base::steady_time start{std::chrono::hours(1)};

/// A store and the rings of two shards.
struct scene {
    explicit scene(const std::string& path, std::size_t capacity = 16'384)
        : database(open_quick(path)),
          keys(make_sqlite_api_key_store(database).value()),
          usage(make_sqlite_usage_store(database).value()),
          first(usage_ring::make(capacity).value()),
          second(usage_ring::make(capacity).value()) {}

    std::vector<usage_feed*> feeds() { return {first.get(), second.get()}; }
    std::int64_t stored() { return usage->query({.from_day = 0, .to_day = 100'000}).value().totals.requests; }
    /// Makes every write fail with "no such table" until `heal`.
    void damage() { REQUIRE(database.execute("ALTER TABLE usage_daily RENAME TO hidden").has_value()); }
    void heal() { REQUIRE(database.execute("ALTER TABLE hidden RENAME TO usage_daily").has_value()); }

    sqlite_database database;
    std::unique_ptr<api_key_store> keys;
    std::unique_ptr<usage_store> usage;
    std::unique_ptr<usage_ring> first;
    std::unique_ptr<usage_ring> second;
};

void pass(usage_ring& ring, int count, const base::usage_record& record = usage()) {
    for (int i = 0; i < count; ++i) {
        base::usage_record one = record;
        one.id = next_event_id(record.admitted_ms);
        REQUIRE(ring.admit());
        ring.settle(one);
    }
}

}  // namespace

TEST_SUITE("storage/usage_flusher") {
    TEST_CASE("records of all shards are written when the interval is over") {
        const temp_folder folder;
        scene s(folder.file("u.db"));
        usage_flusher flusher(*s.usage, nullptr, s.feeds());
        pass(*s.first, 3);
        pass(*s.second, 4);
        flusher.tick(start);
        flusher.tick(start + 999ms);
        CHECK(s.stored() == 0);
        CHECK(flusher.counters().waiting == 7);
        flusher.tick(start + 1s);
        CHECK(s.stored() == 7);
        const auto counters = flusher.counters();
        CHECK(counters.waiting == 0);
        CHECK(counters.flushed == 7);
        CHECK(counters.batches == 1);
        CHECK(counters.failures == 0);
    }

    TEST_CASE("five hundred records are written at once, in batches of at most as many") {
        const temp_folder folder;
        scene s(folder.file("u.db"));
        usage_flusher_options options;
        options.turn = 1h;
        usage_flusher flusher(*s.usage, nullptr, s.feeds(), options);
        pass(*s.first, 499);
        flusher.tick(start);
        CHECK(s.stored() == 0);
        pass(*s.second, 801);
        flusher.tick(start);
        CHECK(s.stored() == 1'300);
        CHECK(flusher.counters().batches == 3);
    }

    TEST_CASE("a feed that is always full does not hold back the others") {
        const temp_folder folder;
        scene s(folder.file("u.db"));
        usage_flusher_options options;
        options.max_batch = 10;
        options.timing.wake_at = 1;
        options.turn = 1h;
        std::vector<usage_feed*> feeds = s.feeds();
        usage_flusher flusher(*s.usage, nullptr, feeds, options);
        pass(*s.first, 100);
        pass(*s.second, 1, usage(20'000, "other"));
        flusher.tick(start);
        CHECK(s.second->waiting() == 0);
        CHECK(s.stored() == 101);
    }

    TEST_CASE("records wait while the store fails, are written once it works, and none twice") {
        const temp_folder folder;
        scene s(folder.file("u.db"));
        std::vector<std::string> log;
        usage_flusher_options options;
        options.turn = 1h;
        options.on_failure = [&](const base::error& e, unsigned failures) {
            log.push_back("failure " + std::to_string(failures));
            CHECK(e.message.find("no such table: usage_daily") != std::string::npos);
        };
        options.on_recovery = [&](unsigned failures) { log.push_back("recovery " + std::to_string(failures)); };
        usage_flusher flusher(*s.usage, nullptr, s.feeds(), options);
        pass(*s.first, 700);
        s.damage();
        flusher.tick(start);
        CHECK(flusher.counters().failing);
        CHECK(flusher.counters().waiting == 700);
        flusher.tick(start + 99ms);  // too early to try again
        CHECK(flusher.counters().failures == 1);
        flusher.tick(start + 100ms);
        CHECK(flusher.counters().failures == 2);
        pass(*s.second, 1);
        s.heal();
        flusher.tick(start + 300ms);
        CHECK(s.stored() == 701);
        CHECK(!flusher.counters().failing);
        CHECK(flusher.counters().flushed == 701);
        CHECK(log == std::vector<std::string>{"failure 1", "failure 2", "recovery 2"});
    }

    TEST_CASE("while the disk is full the rings fill, admission stops, and all is written when there is space") {
        const temp_folder folder;
        scene s(folder.file("u.db"), 64);
        usage_flusher flusher(*s.usage, nullptr, s.feeds());
        const auto pages = s.database.integer("PRAGMA page_count").value();
        // Big rows of many models, so that the file has to grow.
        int admitted = 0;
        const auto limit = "PRAGMA max_page_count=" + std::to_string(pages + 1);
        REQUIRE(s.database.execute(limit.c_str()).has_value());
        base::steady_time now = start;
        std::vector<base::usage_record> under_way;
        for (int i = 0; i < 2'000; ++i) {
            const auto record = usage(20'000, std::string(80, 'm') + std::to_string(i));
            if (!s.first->admit()) {
                break;
            }
            ++admitted;
            s.first->settle(record);
            flusher.tick(now += 1s);
        }
        CHECK(admitted < 2'000);
        CHECK(flusher.counters().failing);
        CHECK(s.first->waiting() == 64);
        REQUIRE(s.database.execute("PRAGMA max_page_count=100000").has_value());
        flusher.tick(now += 10s);
        CHECK(s.stored() == admitted);
        CHECK(s.first->admit());
        s.first->settle(usage());
    }

    TEST_CASE("a lock held by another process delays the records and loses none") {
        const temp_folder folder;
        scene s(folder.file("u.db"));
        usage_flusher flusher(*s.usage, nullptr, s.feeds());
        pass(*s.first, 500);
        {
            auto other = open_quick(folder.file("u.db"));
            auto held = sqlite_transaction::begin(other);
            REQUIRE(held.has_value());
            flusher.tick(start);
            CHECK(flusher.counters().failures == 1);
        }
        flusher.tick(start + 100ms);
        CHECK(s.stored() == 500);
    }

    TEST_CASE("an acknowledgement that got lost does not count records twice") {
        // What a commit leaves behind whose success could not be told: the store has the records, the feed too.
        const temp_folder folder;
        scene s(folder.file("u.db"));
        usage_flusher flusher(*s.usage, nullptr, s.feeds());
        pass(*s.first, 10);
        REQUIRE(s.usage->apply(s.first->peek(6)).value() == 6);
        CHECK(flusher.flush_now(std::chrono::steady_clock::now()) == 0);
        CHECK(s.stored() == 10);
    }

    TEST_CASE("what has piled up is written in turns, so that others get the thread between") {
        const temp_folder folder;
        scene s(folder.file("u.db"));
        usage_flusher_options options;
        options.max_batch = 10;
        options.timing.wake_at = 10;
        options.turn = 0ms;
        usage_flusher flusher(*s.usage, nullptr, s.feeds(), options);
        pass(*s.first, 100);
        flusher.tick(start);
        CHECK(s.stored() == 10);
        flusher.tick(start + 100ms);
        CHECK(s.stored() == 20);
    }

    TEST_CASE("a record that the store refuses for good is put aside, and the others of its batch are written once") {
        const temp_folder folder;
        scene s(folder.file("u.db"));
        REQUIRE(
            s.database
                .execute(
                    "CREATE TRIGGER poison BEFORE INSERT ON usage_event WHEN instr(NEW.record, CAST('poison' AS BLOB)) "
                    "BEGIN SELECT RAISE(ABORT, 'poisoned'); END")
                .has_value());
        std::vector<std::string> aside;
        bool room = false;
        usage_flusher_options options;
        options.quarantine = [&](const base::usage_record& record, const base::error& e) {
            CHECK(contains(e.message, "poisoned"));
            if (room) {
                aside.emplace_back(record.model.view());
            }
            return room;
        };
        usage_flusher flusher(*s.usage, nullptr, s.feeds(), options);
        pass(*s.first, 3);
        pass(*s.first, 1, usage(20'000, "poison"));
        pass(*s.first, 3);
        CHECK(flusher.flush_now(std::chrono::steady_clock::now()) == 7);  // it cannot be put aside either: tried again
        CHECK(flusher.counters().failing);
        room = true;
        CHECK(flusher.flush_now(std::chrono::steady_clock::now()) == 0);
        CHECK(s.stored() == 6);
        CHECK(aside == std::vector<std::string>{"poison"});
        CHECK(flusher.counters().quarantined == 1);
        CHECK(!flusher.counters().failing);
    }

    TEST_CASE("feeds that are taken over are written to their end, and then go") {
        struct short_feed final : usage_feed {
            std::span<const base::usage_record> peek(std::size_t max) override {
                if (left.empty()) {
                    done = true;
                }
                return std::span<const base::usage_record>(left).first(std::min(max, left.size()));
            }
            void release(std::size_t count) override {
                left.erase(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(count));
            }
            std::size_t waiting() const noexcept override { return done ? 0 : 1; }
            bool finished() const noexcept override { return done; }
            std::vector<base::usage_record> left;
            bool done = false;
        };
        const temp_folder folder;
        scene s(folder.file("u.db"));
        usage_flusher_options options;
        options.max_batch = 100;
        options.turn = 1h;
        usage_flusher flusher(*s.usage, nullptr, s.feeds(), options);
        auto feed = std::make_unique<short_feed>();
        for (int i = 0; i < 450; ++i) {
            feed->left.push_back(usage());
        }
        int gone = 0;
        flusher.adopt(std::move(feed), [&] { ++gone; });
        pass(*s.second, 5);
        flusher.tick(start);
        CHECK(gone == 0);
        flusher.tick(start + 1s);
        CHECK(s.stored() == 455);
        CHECK(gone == 1);
        CHECK(flusher.counters().waiting == 0);
        flusher.tick(start + 2s);
        CHECK(gone == 1);
    }

    TEST_CASE("the last flush writes everything, or says what it could not write") {
        const temp_folder folder;
        scene s(folder.file("u.db"));
        usage_flusher_options options;
        options.timing.first_retry = 1ms;
        usage_flusher flusher(*s.usage, nullptr, s.feeds(), options);
        CHECK(flusher.flush_now(std::chrono::steady_clock::now()) == 0);
        pass(*s.first, 1'201);
        s.damage();
        CHECK(flusher.flush_now(std::chrono::steady_clock::now() + 5ms) == 1'201);
        s.heal();
        CHECK(flusher.flush_now(std::chrono::steady_clock::now()) == 0);  // a deadline that is over: still one try
        CHECK(s.stored() == 1'201);
    }

    TEST_CASE("the last flush tries again after a failure while there is time") {
        const temp_folder folder;
        scene s(folder.file("u.db"));
        usage_flusher_options options;
        options.timing.first_retry = 1ms;
        options.on_failure = [&](const base::error&, unsigned failures) {
            if (failures == 3) {
                s.heal();
            }
        };
        usage_flusher flusher(*s.usage, nullptr, s.feeds(), options);
        pass(*s.first, 5);
        s.damage();
        CHECK(flusher.flush_now(std::chrono::steady_clock::now() + 1h) == 0);
        CHECK(flusher.counters().failures == 3);
        CHECK(s.stored() == 5);
    }

    TEST_CASE("keys learn when they were used, at most every five minutes") {
        const temp_folder folder;
        scene s(folder.file("u.db"));
        REQUIRE(s.keys->insert(key_row("key_1")).has_value());
        usage_flusher flusher(*s.usage, s.keys.get(), s.feeds());
        const auto used = [&] { return s.keys->find_by_id(std::nullopt, "key_1").value()->last_used_ms; };
        const auto at = [](std::int64_t ms) {
            base::usage_record record = usage();
            record.admitted_ms = ms;
            return record;
        };
        pass(*s.first, 1, at(1'000'000));
        pass(*s.second, 1, at(1'000'500));
        (void)flusher.flush_now(std::chrono::steady_clock::now());
        CHECK(used() == 1'000'500);
        pass(*s.first, 1, at(1'100'000));
        (void)flusher.flush_now(std::chrono::steady_clock::now());
        CHECK(used() == 1'000'500);
        pass(*s.first, 1, at(1'300'500));
        (void)flusher.flush_now(std::chrono::steady_clock::now());
        CHECK(used() == 1'300'500);
    }

    TEST_CASE("with shards settling and the thread flushing, the sums equal what was settled") {
        const temp_folder folder;
        scene s(folder.file("u.db"), 1'024);
        usage_flusher_options options;
        options.timing.interval = 1ms;
        usage_flusher flusher(*s.usage, s.keys.get(), s.feeds(), options);
        constexpr int each = 10'000;
        {
            database_thread thread;
            thread.every(1ms, [&] { flusher.tick(std::chrono::steady_clock::now()); });
            const auto shard = [&](usage_ring& ring, const char* model) {
                for (int i = 0; i < each;) {
                    if (ring.admit()) {
                        ring.settle(usage(20'000 + i % 3, model));
                        ++i;
                    } else {
                        std::this_thread::yield();
                    }
                }
            };
            std::thread one([&] { shard(*s.first, "a"); });
            std::thread two([&] { shard(*s.second, "b"); });
            while (flusher.counters().flushed == 0) {
                std::this_thread::yield();
            }
            one.join();
            two.join();
            REQUIRE(thread.post([&] { (void)flusher.flush_now(std::chrono::steady_clock::now() + 1h); }));
            thread.stop();
        }
        const usage_report report = s.usage->query({.from_day = 0, .to_day = 100'000}).value();
        REQUIRE(report.by_model.size() == 2);
        CHECK(report.by_model[0].sums.requests == each);
        CHECK(report.by_model[1].sums.requests == each);
        CHECK(report.totals.cost_nano_usd == 2 * each * 2'000);
        CHECK(flusher.counters().waiting == 0);
        CHECK(flusher.counters().flushed == 2 * each);
    }
}
