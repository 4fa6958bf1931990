#include "gateway/net/name_cache.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace concurred;
using namespace std::chrono_literals;
using boost::asio::ip::make_address;
using net::address_list;
using net::name_cache;
using verdict = name_cache::verdict;

namespace {

const base::steady_time start{1'000h};

address_list list(const char* address) {
    address_list made;
    made.add(make_address(address));
    return made;
}

/// Looks `host` up and says what came: the first address, "failed" or "ask".
std::string look_up(name_cache& cache, std::string_view host, base::steady_time now) {
    address_list found;
    switch (cache.find(host, now, found)) {
        case verdict::known:
            return found.view().front().to_string();
        case verdict::failed:
            return "failed";
        case verdict::ask:
            break;
    }
    return "ask";
}

}  // namespace

TEST_SUITE("net/name_cache") {
    TEST_CASE("an answer is used for 30 seconds") {
        name_cache cache;
        CHECK(look_up(cache, "host", start) == "ask");
        cache.store("host", list("192.0.2.1"), start);
        CHECK(look_up(cache, "host", start) == "192.0.2.1");
        CHECK(look_up(cache, "host", start + 30s - 1ms) == "192.0.2.1");
        CHECK(look_up(cache, "host", start + 30s) == "ask");
        CHECK(look_up(cache, "other", start) == "ask");
        cache.store("host", list("192.0.2.2"), start + 30s);
        CHECK(look_up(cache, "host", start + 60s - 1ms) == "192.0.2.2");
    }

    TEST_CASE("a failure is remembered for 2 seconds") {
        name_cache cache;
        cache.store_failure("host", start);
        CHECK(look_up(cache, "host", start) == "failed");
        CHECK(look_up(cache, "host", start + 2s - 1ms) == "failed");
        CHECK(look_up(cache, "host", start + 2s) == "ask");
        cache.store("host", list("192.0.2.1"), start + 1s);
        CHECK(look_up(cache, "host", start + 1s) == "192.0.2.1");
    }

    TEST_CASE("an old answer serves for 10 minutes while lookups fail, and lookups go on") {
        name_cache cache;
        cache.store("host", list("192.0.2.1"), start);
        CHECK(look_up(cache, "host", start + 40s) == "ask");
        cache.store_failure("host", start + 40s);
        CHECK(look_up(cache, "host", start + 40s) == "192.0.2.1");
        CHECK(look_up(cache, "host", start + 42s) == "ask");
        cache.store_failure("host", start + 599s);
        CHECK(look_up(cache, "host", start + 600s - 1ms) == "192.0.2.1");
        CHECK(look_up(cache, "host", start + 600s) == "failed");
        CHECK(look_up(cache, "host", start + 601s) == "ask");
    }

    TEST_CASE("the last answer can be had without a lookup while it may be used") {
        name_cache cache;
        CHECK_FALSE(cache.stale("host", start).has_value());
        cache.store("host", list("192.0.2.1"), start);
        CHECK(cache.stale("host", start + 600s - 1ms).has_value());
        CHECK_FALSE(cache.stale("host", start + 600s).has_value());
        cache.store_failure("unknown", start);
        CHECK_FALSE(cache.stale("unknown", start).has_value());
    }

    TEST_CASE("when the cache is full, the name that was asked for the longest ago goes") {
        name_cache cache({.entries = 2});
        cache.store("a", list("192.0.2.1"), start);
        cache.store("b", list("192.0.2.2"), start + 1s);
        CHECK(look_up(cache, "a", start + 2s) == "192.0.2.1");
        cache.store("c", list("192.0.2.3"), start + 3s);
        CHECK(cache.size() == 2);
        CHECK(look_up(cache, "a", start + 3s) == "192.0.2.1");
        CHECK(look_up(cache, "b", start + 3s) == "ask");
        CHECK(look_up(cache, "c", start + 3s) == "192.0.2.3");
        cache.store_failure("d", start + 4s);
        CHECK(cache.size() == 2);
    }

    TEST_CASE("a list keeps the first eight addresses in their order") {
        address_list addresses;
        CHECK(addresses.empty());
        for (int i = 1; i <= 64; ++i) {
            addresses.add(make_address("192.0.2." + std::to_string(i)));
        }
        REQUIRE(addresses.view().size() == 8);
        CHECK(addresses.view().front().to_string() == "192.0.2.1");
        CHECK(addresses.view().back().to_string() == "192.0.2.8");
    }
}
