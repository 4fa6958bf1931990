#include "storage/usage_ring.hpp"

#include "tests/unit/storage/support.hpp"

#include <doctest/doctest.h>

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

using namespace concurred;
using namespace concurred::storage;
using namespace concurred::storage::test;
using base::usage_record;

namespace {

std::unique_ptr<usage_ring> ring_of(std::size_t capacity) {
    return usage_ring::make(capacity).value();
}

usage_record numbered(std::int64_t n) {
    usage_record record = usage();
    record.cost_nano_usd = n;
    record.request_id = "req_" + std::to_string(n);
    return record;
}

void pass(usage_ring& ring, std::int64_t n) {
    REQUIRE(ring.admit());
    ring.settle(numbered(n));
}

std::vector<std::int64_t> drain(usage_ring& ring, std::size_t max = 1'000) {
    std::vector<usage_record> records;
    const std::size_t moved = ring.drain(records, max);
    CHECK(moved == records.size());
    std::vector<std::int64_t> numbers;
    for (const usage_record& record : records) {
        numbers.push_back(record.cost_nano_usd);
        CHECK(record.request_id == "req_" + std::to_string(record.cost_nano_usd));
    }
    return numbers;
}

/// Settles in its destructor, as a response body does when the client goes away.
class request {
public:
    request(usage_sink& sink, std::int64_t n) : sink_(sink), n_(n), admitted_(sink.admit()) {}
    ~request() {
        if (admitted_) {
            sink_.settle(numbered(n_));
        }
    }
    request(const request&) = delete;
    request& operator=(const request&) = delete;
    [[nodiscard]] bool admitted() const noexcept { return admitted_; }

private:
    usage_sink& sink_;
    std::int64_t n_;
    bool admitted_;
};

using numbers = std::vector<std::int64_t>;

}  // namespace

TEST_SUITE("storage/usage_ring") {
    TEST_CASE("records come out in the order they were settled, each once") {
        const auto ring = ring_of(8);
        CHECK(drain(*ring).empty());
        for (std::int64_t n = 1; n <= 5; ++n) {
            pass(*ring, n);
        }
        CHECK(ring->waiting() == 5);
        CHECK(drain(*ring, 2) == numbers{1, 2});
        CHECK(ring->waiting() == 3);
        CHECK(drain(*ring) == numbers{3, 4, 5});
        CHECK(ring->waiting() == 0);
    }

    TEST_CASE("a full ring refuses admission, and what was admitted before still settles") {
        const auto ring = ring_of(4);
        CHECK(ring->capacity() == 4);
        std::vector<std::unique_ptr<request>> under_way;
        for (std::int64_t n = 1; n <= 4; ++n) {
            under_way.push_back(std::make_unique<request>(*ring, n));
            CHECK(under_way.back()->admitted());
        }
        CHECK(!ring->admit());
        CHECK(ring->open() == 4);
        CHECK(ring->waiting() == 0);
        under_way[2].reset();
        under_way[0].reset();
        CHECK(!ring->admit());  // settled is not stored: the slots are still taken
        CHECK(ring->refused() == 2);
        CHECK(drain(*ring, 1) == numbers{3});
        const request fifth(*ring, 5);
        CHECK(fifth.admitted());
        CHECK(!ring->admit());
        under_way.clear();
        CHECK(drain(*ring) == numbers{1, 2, 4});
        CHECK(ring->open() == 1);
    }

    TEST_CASE("records seen but not released are seen again") {
        const auto ring = ring_of(4);
        for (std::int64_t n = 1; n <= 3; ++n) {
            pass(*ring, n);
        }
        auto records = ring->peek(2);
        CHECK(records.size() == 2);
        records = ring->peek(10);
        CHECK(records.size() == 3);
        CHECK(records[0].cost_nano_usd == 1);
        ring->release(1);
        records = ring->peek(10);
        REQUIRE(records.size() == 2);
        CHECK(records[0].cost_nano_usd == 2);
        CHECK(ring->waiting() == 2);
    }

    TEST_CASE("at the end of the memory a view ends, and the next one goes on behind it") {
        const auto ring = ring_of(4);
        for (std::int64_t n = 1; n <= 4; ++n) {
            pass(*ring, n);
        }
        ring->release(3);
        for (std::int64_t n = 5; n <= 6; ++n) {
            pass(*ring, n);
        }
        auto records = ring->peek(10);
        REQUIRE(records.size() == 1);
        CHECK(records[0].cost_nano_usd == 4);
        ring->release(1);
        records = ring->peek(10);
        REQUIRE(records.size() == 2);
        CHECK(records[1].cost_nano_usd == 6);
    }

    TEST_CASE("the capacity is rounded up to a power of two") {
        CHECK(ring_of(0)->capacity() == 2);
        CHECK(ring_of(5)->capacity() == 8);
        CHECK(usage_ring::make().value()->capacity() == 16'384);
    }

    TEST_CASE("memory stays small where few records wait at a time") {
        const auto ring = ring_of(16'384);
        const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
        const std::size_t bytes = ring->capacity() * sizeof(usage_record);
        const auto* const memory = ring->peek(1).data();  // of an empty view: where the slots begin
        const auto resident = [&] {
            std::vector<unsigned char> pages((bytes + page - 1) / page);
            REQUIRE(::mincore(const_cast<usage_record*>(memory), bytes, pages.data()) == 0);
            std::size_t count = 0;
            for (const unsigned char p : pages) {
                count += p & 1U;
            }
            return count;
        };
        CHECK(resident() == 0);
        for (std::int64_t n = 1; n <= 40'000; ++n) {  // more than twice around, but few at a time
            pass(*ring, n);
            if (n % 4 == 0) {
                ring->release(4);
            }
        }
        CHECK(resident() <= 2);
    }

    TEST_CASE("between two threads nothing is lost, doubled, reordered or torn, and no slot is overrun") {
        constexpr std::int64_t many = 200'000;
        const auto ring = ring_of(64);
        std::uint64_t refusals = 0;
        std::thread producer([&] {
            // Up to 20 requests are under way at a time and end in another order than they began.
            std::vector<std::int64_t> under_way;
            std::uint32_t random = 1;
            std::int64_t next = 1;
            std::int64_t settled = 1;
            while (next <= many || !under_way.empty()) {
                random = random * 1'664'525U + 1'013'904'223U;
                if (next <= many && under_way.size() < 20 && (random >> 16U) % 2 == 0) {
                    if (ring->admit()) {
                        under_way.push_back(next++);
                    } else {
                        ++refusals;
                        std::this_thread::yield();
                    }
                } else if (!under_way.empty()) {
                    under_way.erase(under_way.begin() + (random >> 16U) % under_way.size());
                    ring->settle(numbered(settled++));
                }
            }
        });
        std::int64_t expected = 1;
        bool good = true;
        while (expected <= many) {
            const auto records = ring->peek(37);
            good = good && ring->waiting() <= ring->capacity();
            for (const usage_record& record : records) {
                good =
                    good && record.cost_nano_usd == expected && record.request_id == "req_" + std::to_string(expected);
                ++expected;
            }
            ring->release(records.size());
            if (records.empty()) {
                std::this_thread::yield();
            }
        }
        producer.join();
        CHECK(good);
        CHECK(ring->open() == 0);
        CHECK(ring->waiting() == 0);
        CHECK(ring->refused() == refusals);
    }
}
