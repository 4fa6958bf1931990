#include "storage/last_used.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace concurred::storage;

namespace {

std::vector<std::pair<std::string, std::int64_t>> taken(last_used_filter& filter) {
    std::vector<std::pair<std::string, std::int64_t>> out;
    for (const key_use& use : filter.take()) {
        out.emplace_back(use.key_id, use.used_ms);
    }
    std::sort(out.begin(), out.end());
    return out;
}

using uses = std::vector<std::pair<std::string, std::int64_t>>;

}  // namespace

TEST_SUITE("storage/last_used") {
    TEST_CASE("the first use of a key is written, the next one five minutes later") {
        last_used_filter filter;
        CHECK(taken(filter).empty());
        filter.note("key_a", 1'000'000);
        CHECK(taken(filter) == uses{{"key_a", 1'000'000}});
        filter.note("key_a", 1'000'000);
        filter.note("key_a", 1'299'999);
        CHECK(taken(filter).empty());
        filter.note("key_a", 1'300'000);
        CHECK(taken(filter) == uses{{"key_a", 1'300'000}});
    }

    TEST_CASE("of several uses the latest is written, in whatever order they come") {
        last_used_filter filter;
        filter.note("key_a", 2'000);
        filter.note("key_b", 5'000);
        filter.note("key_a", 9'000);
        filter.note("key_a", 4'000);
        CHECK(taken(filter) == uses{{"key_a", 9'000}, {"key_b", 5'000}});
    }

    TEST_CASE("a request without a key is no use") {
        last_used_filter filter;
        filter.note("", 1'000);
        CHECK(taken(filter).empty());
    }

    TEST_CASE("after a failed write the next use is written whenever it is") {
        last_used_filter filter;
        filter.note("key_a", 1'000);
        CHECK(taken(filter).size() == 1);
        filter.forget();
        filter.note("key_a", 1'001);
        CHECK(taken(filter) == uses{{"key_a", 1'001}});
    }

    TEST_CASE("the number of remembered keys is bounded, and none is missed for it") {
        last_used_filter filter(3);
        for (int i = 0; i < 10; ++i) {
            filter.note("key_" + std::to_string(i), 1'000);
            CHECK(taken(filter) == uses{{"key_" + std::to_string(i), 1'000}});
        }
        filter.note("key_9", 1'001);
        CHECK(taken(filter).empty());  // the last ones are remembered
        filter.note("key_0", 1'001);
        CHECK(taken(filter) == uses{{"key_0", 1'001}});  // an old one is written again
    }
}
