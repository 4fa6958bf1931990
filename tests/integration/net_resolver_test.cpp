#include "gateway/net/resolver.hpp"

#include "tests/integration/net_loop.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>

using namespace concurred;
using namespace std::chrono_literals;
using base::result;
using net::address_list;
using net::resolver;
using net::test::pending;

namespace {

struct fixture {
    explicit fixture(const net::name_cache_limits& limits = {}) {
        auto made = std::make_unique<net::test::scripted_names>(l.executor());
        names = made.get();
        names->known["one"] = {"192.0.2.1"};
        names->known["two"] = {"192.0.2.2", "2001:db8::2"};
        cache.emplace(l.executor(), std::move(made), limits);
    }

    std::string ask(std::string_view host) {
        resolver::question q(*cache, host);
        return text(l.run(q.ask()));
    }
    static std::string text(const result<address_list>& answer) {
        if (!answer) {
            return answer.error().message;
        }
        std::string all;
        for (const auto& address : answer->view()) {
            all += (all.empty() ? "" : " ") + address.to_string();
        }
        return all;
    }

    net::test::loop l;
    net::test::scripted_names* names = nullptr;
    std::optional<resolver> cache;
};

const std::string unknown = "The provider's host name could not be resolved.";

}  // namespace

TEST_SUITE("net/resolver") {
    TEST_CASE("a name is looked up once, then remembered") {
        fixture f;
        CHECK(f.ask("two") == "192.0.2.2 2001:db8::2");
        CHECK(f.ask("two") == "192.0.2.2 2001:db8::2");
        CHECK(f.names->lookups == 1);
        CHECK(f.ask("one") == "192.0.2.1");
        CHECK(f.names->lookups == 2);
    }

    TEST_CASE("an address is its own answer") {
        fixture f;
        CHECK(f.ask("198.51.100.7") == "198.51.100.7");
        CHECK(f.ask("2001:db8::7") == "2001:db8::7");
        CHECK(f.names->lookups == 0);
    }

    TEST_CASE("a name that does not exist is an upstream error that may be retried, and is remembered for a moment") {
        fixture f;
        resolver::question q(*f.cache, "nowhere");
        const auto answer = f.l.run(q.ask());
        REQUIRE_FALSE(answer.has_value());
        CHECK(answer.error().code == base::errc::upstream_error);
        CHECK(answer.error().retry == base::retry_class::safe);
        CHECK(answer.error().message == unknown);
        CHECK(f.ask("nowhere") == unknown);
        CHECK(f.names->lookups == 1);
    }

    TEST_CASE("all who ask at the same time share one lookup") {
        fixture f;
        f.names->hold = true;
        resolver::question a(*f.cache, "one");
        resolver::question b(*f.cache, "one");
        resolver::question c(*f.cache, "two");
        pending<result<address_list>> at_a;
        pending<result<address_list>> at_b;
        pending<result<address_list>> at_c;
        f.l.start(a.ask(), at_a);
        f.l.start(b.ask(), at_b);
        f.l.start(c.ask(), at_c);
        CHECK(f.names->lookups == 2);
        CHECK(f.cache->lookups() == 2);
        CHECK_FALSE(at_a.done);
        f.names->release();
        CHECK(f.text(f.l.finish(at_a)) == "192.0.2.1");
        CHECK(f.text(f.l.finish(at_b)) == "192.0.2.1");
        CHECK(f.text(f.l.finish(at_c)) == "192.0.2.2 2001:db8::2");
        CHECK(f.cache->lookups() == 0);
    }

    TEST_CASE("one who gives up wakes within a turn and leaves the others waiting") {
        fixture f;
        f.names->hold = true;
        std::optional<resolver::question> a(std::in_place, *f.cache, "one");
        resolver::question b(*f.cache, "one");
        pending<result<address_list>> at_a;
        pending<result<address_list>> at_b;
        f.l.start(a->ask(), at_a);
        f.l.start(b.ask(), at_b);
        a->cancel();
        f.l.poll();
        REQUIRE(at_a.done);
        CHECK(f.l.finish(at_a).error().cause == boost::asio::error::operation_aborted);
        CHECK_FALSE(at_b.done);
        a.reset();
        f.names->release();
        CHECK(f.text(f.l.finish(at_b)) == "192.0.2.1");
    }

    TEST_CASE("a lookup that nobody waits for any more still fills the cache") {
        fixture f;
        f.names->hold = true;
        {
            resolver::question a(*f.cache, "one");
            pending<result<address_list>> at_a;
            f.l.start(a.ask(), at_a);
            a.cancel();
            f.l.poll();
            REQUIRE(at_a.done);
        }
        f.names->release();
        f.l.poll();
        CHECK(f.ask("one") == "192.0.2.1");
        CHECK(f.names->lookups == 1);
    }

    TEST_CASE("the last answer serves while lookups fail") {
        fixture f({.fresh = 0s, .failed = 2s});
        CHECK(f.ask("one") == "192.0.2.1");
        f.names->known.clear();
        CHECK(f.ask("one") == "192.0.2.1");
        CHECK(f.names->lookups == 2);
        CHECK(f.ask("one") == "192.0.2.1");
        CHECK(f.names->lookups == 2);
        CHECK(f.cache->last_known("one").has_value());
        CHECK_FALSE(f.cache->last_known("two").has_value());
    }

    TEST_CASE("the system knows localhost") {
        net::test::loop l;
        resolver names(l.executor());
        resolver::question q(names, "localhost");
        const auto answer = l.run(q.ask());
        REQUIRE(answer.has_value());
        CHECK(answer->view().front().is_loopback());
        resolver::question other(names, "does-not-exist.invalid");
        CHECK_FALSE(l.run(other.ask()).has_value());
    }
}
