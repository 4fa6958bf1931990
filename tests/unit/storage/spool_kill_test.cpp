#include "storage/dead_spool.hpp"
#include "storage/spool_keeper.hpp"
#include "tests/unit/storage/support.hpp"

#include <doctest/doctest.h>

#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <csignal>
#include <cstring>
#include <ctime>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace concurred;
using namespace concurred::storage;
using namespace concurred::storage::test;

namespace {

/// What the child says it has done, in memory that it shares with the test: written right after each call returned.
struct journal {
    std::atomic<std::uint64_t> dispatched{0};
    std::atomic<std::uint64_t> settled{0};
};

journal* shared_journal() {
    void* memory = ::mmap(nullptr, sizeof(journal), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(memory != MAP_FAILED);
    return new (memory) journal();
}

base::usage_record numbered(std::uint64_t number, bool open) {
    base::usage_record record = usage();
    std::memcpy(record.id.data() + 8, &number, sizeof(number));
    record.end = open ? base::end_reason::aborted : base::end_reason::completed;
    return record;
}

std::uint64_t number_of(const base::usage_record& record) {
    std::uint64_t number = 0;
    std::memcpy(&number, record.id.data() + 8, sizeof(number));
    return number;
}

/// Requests overlap by three: number n is settled after n + 3 was dispatched.
[[noreturn]] void write_until_killed(const std::string& root, journal& log) {
    auto keeper =
        spool_keeper::make({.root = root, .limit_bytes = 64 * 1024 * 1024, .sync = std::chrono::milliseconds(1)});
    usage_spool& spool = (*keeper)->spool(0);
    (*keeper)->start({});
    for (std::uint64_t n = 1;; ++n) {
        while (!spool.admit()) {
            std::this_thread::yield();
        }
        spool.dispatch(numbered(n, true), false);
        log.dispatched.store(n);
        if (n > 3) {
            spool.settle(numbered(n - 3, false));
            log.settled.store(n - 3);
        }
    }
}

}  // namespace

TEST_SUITE("storage/spool_kill") {
    TEST_CASE("a process that is killed at any moment loses nothing that a call had returned for") {
        std::uint64_t seen = 0;
        for (int round = 0; round < 12; ++round) {
            const temp_folder folder;
            journal* const log = shared_journal();
            const pid_t child = start_child([&]() -> int { write_until_killed(folder.path(), *log); });
            // Somewhere in the first 20,000 requests: where exactly is the scheduler's choice.
            const auto until = static_cast<std::uint64_t>(round) * 400 + 5;
            while (log->settled.load() < until) {
                std::this_thread::yield();
            }
            ::kill(child, SIGKILL);
            CHECK(join_child(child) == -1);

            std::set<std::uint64_t> settled;
            std::set<std::uint64_t> aborted;
            std::uint64_t twice = 0;
            for (spool_folder& claimed : claim_dead_spools(folder.path()).value()) {
                dead_spool dead(std::move(claimed));
                while (!dead.finished()) {
                    const auto records = dead.peek(500);
                    for (const base::usage_record& record : records) {
                        auto& kind = record.end == base::end_reason::aborted ? aborted : settled;
                        twice += kind.insert(number_of(record)).second ? 0 : 1;
                        twice +=
                            (record.end == base::end_reason::aborted ? settled : aborted).contains(number_of(record));
                    }
                    dead.release(records.size());
                }
                CHECK(dead.found().lost == 0);
                CHECK(dead.found().torn <= 1);
            }
            CHECK(twice == 0);
            // The call that was under way may or may not have been finished.
            const std::uint64_t said_dispatched = log->dispatched.load();
            const std::uint64_t said_settled = log->settled.load();
            CHECK(settled.size() >= said_settled);
            CHECK(settled.size() <= said_settled + 1);
            CHECK(settled.size() + aborted.size() >= said_dispatched);
            CHECK(settled.size() + aborted.size() <= said_dispatched + 1);
            CHECK(*settled.rbegin() == settled.size());  // without a gap
            seen += settled.size();
            ::munmap(log, sizeof(journal));
        }
        CHECK(seen > 12 * 5);
    }

    TEST_CASE("on the request path there is no system call") {
        const temp_folder folder;
        constexpr int requests = 5'000;
        const auto work = [&]() -> int {
            spool_budget budget(64 * 1024 * 1024);
            auto spool =
                usage_spool::make(spool_folder::create(folder.path(), {1}).value(), budget, 1024 * 1024).value();
            const base::usage_record open = numbered(1, true);
            const base::usage_record done = numbered(1, false);
            // From here on the kernel kills whoever asks it for more than read, write and exit.
            if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0) {
                return 2;
            }
            int written = 0;
            for (; written < requests && spool->admit(); ++written) {
                spool->dispatch(open, false);
                spool->settle(done);
            }
            // Not exit_group, which `_exit` calls.
            return static_cast<int>(::syscall(SYS_exit, written > 1'000 ? 0 : 1));
        };
        CHECK(join_child(start_child(work)) == 0);
        const auto claimed = claim_dead_spools(folder.path()).value();
        CHECK(claimed.size() == 1);
    }
}
