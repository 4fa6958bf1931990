#include "storage/usage_spool.hpp"

#include "crypto/random.hpp"
#include "storage/dead_spool.hpp"
#include "tests/unit/storage/support.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

using namespace concurred;
using namespace concurred::storage;
using namespace concurred::storage::test;
using base::end_reason;
using base::usage_record;

namespace {

constexpr std::size_t segment = 64 * 1024;

/// A spool that writes 64 KiB segments.
struct scene {
    explicit scene(const std::string& where, std::size_t limit = 64 * segment)
        : root(where), budget(limit), spool(open()) {}

    std::unique_ptr<usage_spool> open() {
        spool_id id{};
        id[0] = ++next_id;
        return usage_spool::make(spool_folder::create(root, id).value(), budget, segment).value();
    }
    /// As if the process had been killed: the lock goes, the files stay.
    void kill() { spool.reset(); }

    std::string root;
    spool_budget budget;
    std::unique_ptr<usage_spool> spool;
    static inline std::uint8_t next_id = 0;
};

void pass(usage_spool& spool, const usage_record& record) {
    REQUIRE(spool.admit());
    spool.dispatch(record, false);
    spool.settle(record);
}

usage_record admitted(std::string_view model = "gpt-5.2") {
    usage_record record = usage(20'000, model);
    record.end = end_reason::aborted;
    record.estimated = true;
    return record;
}

/// Everything the dead processes under `root` left, and their files gone.
std::vector<usage_record> recover(const std::string& root, std::size_t at_once = 7) {
    std::vector<usage_record> all;
    for (spool_folder& folder : claim_dead_spools(root).value()) {
        dead_spool dead(std::move(folder));
        while (!dead.finished()) {
            const auto records = dead.peek(at_once);
            all.insert(all.end(), records.begin(), records.end());
            dead.release(records.size());
        }
    }
    return all;
}

std::size_t files_in(const std::string& folder) {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        count += entry.is_regular_file() && entry.path().filename() != "lock" ? 1 : 0;
    }
    return count;
}

}  // namespace

TEST_SUITE("storage/usage_spool") {
    TEST_CASE("records come out as they went in, and the files go when all is applied") {
        const temp_folder folder;
        scene s(folder.path());
        std::vector<usage_record> in;
        for (int i = 0; i < 2'000; ++i) {
            in.push_back(usage(20'000 + i, "m" + std::to_string(i)));
            pass(*s.spool, in.back());
            if (i % 50 == 0) {
                REQUIRE(s.spool->keep().has_value());
            }
        }
        CHECK(s.spool->waiting() == 2'000);
        std::size_t next = 0;
        while (s.spool->waiting() != 0) {
            const auto records = s.spool->peek(333);
            REQUIRE(!records.empty());
            for (const usage_record& r : records) {
                REQUIRE(r.id == in[next].id);
                REQUIRE(r.model.view() == in[next].model.view());
                REQUIRE(r.day == in[next].day);
                ++next;
            }
            s.spool->release(records.size());
            REQUIRE(s.spool->keep().has_value());
        }
        CHECK(next == 2'000);
        CHECK(files_in(folder.path()) <= 3);  // the one being written, and spares
        s.spool->close();
        s.kill();
        CHECK(files_in(folder.path()) == 0);
        CHECK(s.budget.used.load() == 0);
    }

    TEST_CASE("a batch that is not released is seen again") {
        const temp_folder folder;
        scene s(folder.path());
        pass(*s.spool, usage(1));
        pass(*s.spool, usage(2));
        CHECK(s.spool->peek(10).size() == 2);
        s.spool->release(1);
        REQUIRE(s.spool->peek(10).size() == 1);
        CHECK(s.spool->peek(10)[0].day == 2);
        CHECK(s.spool->waiting() == 1);
    }

    TEST_CASE("after a death the settled records are there, and what was open is aborted and estimated") {
        const temp_folder folder;
        scene s(folder.path());
        const usage_record done = usage(20'000, "done");
        pass(*s.spool, done);
        const usage_record open = admitted("open");
        REQUIRE(s.spool->admit());
        s.spool->dispatch(open, false);
        REQUIRE(s.spool->admit());  // nothing was asked for this one: nothing to book
        s.kill();
        const auto found = recover(folder.path());
        REQUIRE(found.size() == 2);
        CHECK(found[0].id == done.id);
        CHECK(found[0].end == end_reason::completed);
        CHECK(found[1].id == open.id);
        CHECK(found[1].end == end_reason::aborted);
        CHECK(found[1].estimated);
        CHECK(recover(folder.path()).empty());
        CHECK(files_in(folder.path()) == 0);
    }

    TEST_CASE("a request that is sent to another provider is booked on the last one") {
        const temp_folder folder;
        scene s(folder.path());
        usage_record record = admitted("first");
        REQUIRE(s.spool->admit());
        s.spool->dispatch(record, false);
        record.model = "second";
        s.spool->dispatch(record, true);
        s.kill();
        const auto found = recover(folder.path());
        REQUIRE(found.size() == 1);
        CHECK(found[0].model.view() == "second");
    }

    TEST_CASE("what is applied is not applied again after a death") {
        const temp_folder folder;
        scene s(folder.path());
        for (int i = 0; i < 20; ++i) {
            pass(*s.spool, usage(i));
        }
        REQUIRE(s.spool->peek(12).size() == 12);
        s.spool->release(12);
        s.kill();
        const auto found = recover(folder.path());
        REQUIRE(found.size() == 8);
        CHECK(found.front().day == 12);
    }

    TEST_CASE("requests that stay open are carried over when their segment goes") {
        const temp_folder folder;
        scene s(folder.path());
        const usage_record first = admitted("long");
        const usage_record second = admitted("longer");
        for (const usage_record* record : {&first, &second}) {
            REQUIRE(s.spool->admit());
            s.spool->dispatch(*record, false);
        }
        const auto churn = [&](int requests) {
            for (int i = 0; i < requests; ++i) {
                pass(*s.spool, usage());
                if (i % 20 == 0) {
                    while (s.spool->waiting() != 0) {
                        s.spool->release(s.spool->peek(100).size());
                    }
                    REQUIRE(s.spool->keep().has_value());
                }
            }
        };
        churn(1'000);
        CHECK(files_in(folder.path()) <= 4);  // though both are open since the first segment
        s.spool->settle(first);
        churn(1'000);
        s.kill();
        std::vector<usage_record> aborted;
        for (const usage_record& record : recover(folder.path())) {
            if (record.end == end_reason::aborted) {
                aborted.push_back(record);
            }
        }
        REQUIRE(aborted.size() == 1);
        CHECK(aborted[0].id == second.id);
    }

    TEST_CASE("at its limit the spool takes no new requests, but every open one can end") {
        const temp_folder folder;
        scene s(folder.path(), 4 * segment);
        std::vector<usage_record> open;
        while (s.spool->admit()) {
            open.push_back(admitted());
            s.spool->dispatch(open.back(), false);
            REQUIRE(s.spool->keep().has_value());
        }
        CHECK(s.spool->refused() == 1);
        CHECK(open.size() > 80);
        CHECK(s.budget.nearly_full());
        CHECK(s.budget.used.load() <= s.budget.limit);
        for (const usage_record& record : open) {
            s.spool->dispatch(record, true);  // takes only what is not needed
        }
        for (const usage_record& record : open) {
            s.spool->settle(record);
        }
        CHECK(s.spool->waiting() == open.size());
        std::set<base::event_id> ids;
        while (s.spool->waiting() != 0) {
            const auto records = s.spool->peek(50);
            for (const usage_record& record : records) {
                ids.insert(record.id);
            }
            s.spool->release(records.size());
        }
        CHECK(ids.size() == open.size());
        REQUIRE(s.spool->keep().has_value());
        REQUIRE(s.spool->keep().has_value());
        CHECK(s.spool->admit());
    }

    TEST_CASE("a spool whose process lives is not taken over") {
        const temp_folder folder;
        scene s(folder.path());
        pass(*s.spool, usage());
        CHECK(claim_dead_spools(folder.path()).value().empty());
        s.kill();
        const auto claimed = claim_dead_spools(folder.path()).value();
        CHECK(claimed.size() == 1);
        CHECK(claim_dead_spools(folder.path()).value().empty());  // somebody has it now
    }

    TEST_CASE("files that are no segments are put aside, and the rest is read") {
        const temp_folder folder;
        scene s(folder.path());
        pass(*s.spool, usage());
        s.kill();
        const std::string inside = std::filesystem::directory_iterator(folder.path())->is_directory()
                                       ? std::filesystem::directory_iterator(folder.path())->path().string()
                                       : "";
        std::string where;
        for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
            where = entry.is_directory() ? entry.path().string() : where;
        }
        std::filesystem::copy_file("/proc/self/exe", where + "/0000000009.seg");
        std::filesystem::create_directory(folder.file("not-a-spool"));
        CHECK(recover(folder.path()).size() == 1);
        CHECK(std::filesystem::exists(folder.file("quarantine")));
        CHECK(!std::filesystem::exists(where));
        CHECK(std::filesystem::exists(folder.file("not-a-spool")));
    }

    TEST_CASE("recovery that is cut short is done again, and the store counts nothing twice") {
        const temp_folder folder;
        opened_usage store(folder.file("u.db"));
        scene s(folder.file("spool"));
        for (int i = 0; i < 100; ++i) {
            pass(*s.spool, usage());
        }
        for (int i = 0; i < 10; ++i) {
            REQUIRE(s.spool->admit());
            s.spool->dispatch(admitted(), false);
        }
        s.kill();
        for (std::size_t stop_after = 0; stop_after < 20; ++stop_after) {
            auto claimed = claim_dead_spools(folder.file("spool")).value();
            REQUIRE(claimed.size() == 1);
            dead_spool dead(std::move(claimed[0]));
            for (std::size_t i = 0; i <= stop_after && !dead.finished(); ++i) {
                const auto records = dead.peek(9);
                REQUIRE(store.usage->apply(records).has_value());
                if (i < stop_after) {  // dies between the commit and the release
                    dead.release(records.size());
                }
            }
            if (dead.finished()) {
                break;
            }
        }
        CHECK(store.totals().requests == 110);
        CHECK(store.totals().estimated_requests == 10);
    }
}
