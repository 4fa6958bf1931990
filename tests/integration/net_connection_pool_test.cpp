#include "gateway/net/connection_pool.hpp"

#include "tests/integration/net_loop.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

using namespace concurred;
using namespace std::chrono_literals;
using base::errc;
using base::result;
using net::lease;
using net::test::pending;
using clock_type = std::chrono::steady_clock;

namespace {

struct fixture {
    explicit fixture(const net::pool_params& params = {}, std::chrono::milliseconds connect_timeout = 5s) {
        dialer =
            net::make_dialer({.executor = l.executor(),
                              .wheel = l.wheel(),
                              .resolver = resolver,
                              .target = net::parse_url("http://127.0.0.1:" + std::to_string(server.port())).value(),
                              .connect_timeout = connect_timeout});
        pool.emplace(l.executor(), l.wheel(), *dialer, params);
    }

    lease acquire(bool fresh_only = false) { return l.run(pool->acquire(abort, fresh_only)).value(); }
    void start(pending<result<lease>>& into, bool fresh_only = false) {
        l.start(pool->acquire(abort, fresh_only), into);
    }
    base::steady_time now() { return clock_type::now(); }

    /// Acquires and gives back, so that one connection is idle. @return its other end
    net::test::peer make_idle() {
        lease a = acquire();
        auto peer = server.accept();
        a.give_back(now());
        return peer;
    }

    net::test::loop l;
    net::test::server server;
    net::resolver resolver{l.executor()};
    std::unique_ptr<net::dialer> dialer;
    std::optional<net::connection_pool> pool;
    http::abort_signal abort;
};

void check_exhausted(const result<lease>& r) {
    REQUIRE_FALSE(r.has_value());
    CHECK(r.error().code == errc::service_unavailable);
    CHECK(r.error().retry == base::retry_class::safe);
    CHECK(r.error().retry_after > 0ms);
    CHECK(r.error().message.find("All connections to the provider are in use") == 0);
}

}  // namespace

TEST_SUITE("net/connection_pool") {
    TEST_CASE("a connection that was given back is used again, at once and without a coroutine") {
        fixture f;
        CHECK_FALSE(f.pool->try_acquire(f.now()).has_value());
        lease a = f.acquire();
        REQUIRE(bool(a));
        CHECK_FALSE(a.reused());
        auto peer = f.server.accept();
        a.give_back(f.now());
        CHECK_FALSE(bool(a));

        auto b = f.pool->try_acquire(f.now());
        REQUIRE(b.has_value());
        CHECK(b->reused());
        peer.send("!");
        CHECK_FALSE(b->stream().quiet());
        std::array<char, 1> octet;
        CHECK(b->stream().try_read(octet).bytes == 1);
        CHECK_FALSE(f.pool->try_acquire(f.now()).has_value());
        b->give_back(f.now());

        lease c = f.acquire();
        CHECK(c.reused());
        const auto counts = f.pool->counts();
        CHECK(counts.open == 1);
        CHECK(counts.idle == 0);
        CHECK(counts.dialed == 1);
        CHECK(counts.reused == 2);
        CHECK_FALSE(f.server.has_waiting());
    }

    TEST_CASE("a lease that is dropped closes its connection at once and frees its place") {
        fixture f({.max_connections = 1});
        {
            lease a = f.acquire();
            lease moved = std::move(a);
            a.cancel();
            CHECK(f.pool->counts().open == 1);
        }
        CHECK(f.server.accept().read_to_end().empty());
        CHECK(f.pool->counts().open == 0);
        lease b = f.acquire();
        CHECK_FALSE(b.reused());
        b = lease();
        CHECK(f.pool->counts().open == 0);
    }

    TEST_CASE("a connection that its peer has closed is not handed out") {
        fixture f;
        f.make_idle().close();
        CHECK_FALSE(f.pool->try_acquire(f.now()).has_value());
        CHECK(f.pool->counts().open == 0);
        f.make_idle().reset();
        lease a = f.acquire();
        CHECK_FALSE(a.reused());
        CHECK(f.pool->counts().dialed == 3);
        CHECK(f.pool->counts().open == 1);
    }

    TEST_CASE("U-17 what comes unasked never becomes an answer") {
        fixture f;
        auto peer = f.make_idle();
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        CHECK_FALSE(f.pool->try_acquire(f.now()).has_value());
        CHECK(f.pool->counts().open == 0);
        auto other = f.make_idle();
        other.send("x");
        CHECK_FALSE(f.acquire().reused());
    }

    TEST_CASE("an older idle connection serves when the newest is broken") {
        fixture f;
        lease a = f.acquire();
        auto peer_a = f.server.accept();
        lease b = f.acquire();
        auto peer_b = f.server.accept();
        a.give_back(f.now());
        b.give_back(f.now());
        peer_b.close();
        auto c = f.pool->try_acquire(f.now());
        REQUIRE(c.has_value());
        static_cast<void>(c->stream().try_write(std::array<::iovec, 1>{{{const_cast<char*>("a"), 1}}}));
        std::array<char, 1> octet{};
        peer_a.socket().read_some(boost::asio::buffer(octet));
        CHECK(octet[0] == 'a');
    }

    TEST_CASE("who must not reuse gets a new connection, in a full pool in place of an idle one") {
        fixture f({.max_connections = 1});
        auto peer = f.make_idle();
        lease a = f.acquire(true);
        CHECK_FALSE(a.reused());
        CHECK(peer.read_to_end().empty());
        CHECK(f.pool->counts().open == 1);
        CHECK(f.pool->counts().dialed == 2);
    }

    TEST_CASE("L-19 a full pool lets callers wait, but not for ever") {
        fixture f({.max_connections = 1, .pool_wait = 200ms});
        lease a = f.acquire();
        const auto began = clock_type::now();
        check_exhausted(f.l.run(f.pool->acquire(f.abort)));
        CHECK(clock_type::now() - began >= 200ms);
        CHECK(f.pool->counts().waiting == 0);
        CHECK(f.pool->counts().refused == 1);
    }

    TEST_CASE("a full line refuses at once") {
        fixture f({.max_connections = 1, .max_waiters = 1});
        lease a = f.acquire();
        pending<result<lease>> first;
        f.start(first);
        pending<result<lease>> second;
        f.start(second);
        CHECK_FALSE(first.done);
        REQUIRE(second.done);
        check_exhausted(f.l.finish(second));
        CHECK(f.pool->counts().waiting == 1);
        a.give_back(f.now());
        CHECK(f.l.finish(first).value().reused());
    }

    TEST_CASE("those in line get what becomes free in their order") {
        fixture f({.max_connections = 1, .pool_wait = 5s});
        lease a = f.acquire();
        std::array<pending<result<lease>>, 3> waiting;
        f.start(waiting[0]);
        f.start(waiting[1], true);
        f.start(waiting[2]);
        CHECK(f.pool->counts().waiting == 3);

        a.give_back(f.now());
        CHECK_FALSE(f.pool->try_acquire(f.now()).has_value());  // nobody overtakes
        f.l.poll();
        REQUIRE(waiting[0].done);
        CHECK_FALSE(waiting[1].done);
        lease b = f.l.finish(waiting[0]).value();
        CHECK(b.reused());

        b.give_back(f.now());
        lease c = f.l.finish(waiting[1]).value();
        CHECK_FALSE(c.reused());
        CHECK_FALSE(waiting[2].done);

        c = lease();
        lease d = f.l.finish(waiting[2]).value();
        CHECK_FALSE(d.reused());
        CHECK(f.pool->counts().waiting == 0);
        CHECK(f.pool->counts().dialed == 3);
    }

    TEST_CASE("U-30 a client that goes away leaves the line within a turn, and the next one gets the connection") {
        fixture f({.max_connections = 1, .pool_wait = 5s});
        lease a = f.acquire();
        http::abort_signal gone;
        pending<result<lease>> first;
        f.l.start(f.pool->acquire(gone), first);
        pending<result<lease>> second;
        f.start(second);

        SUBCASE("while nothing is free") {
            gone.fire(http::abort_reason::client_gone);
            f.l.poll();
            REQUIRE(first.done);
            CHECK_FALSE(second.done);
            CHECK(f.pool->counts().waiting == 1);
            a.give_back(f.now());
        }
        SUBCASE("just after it was called") {
            a.give_back(f.now());
            gone.fire(http::abort_reason::client_gone);
            f.l.poll();
            REQUIRE(first.done);
        }
        CHECK(f.l.finish(first).error().code == errc::client_gone);
        CHECK(f.l.finish(second).value().reused());
        CHECK(f.pool->counts().waiting == 0);
    }

    TEST_CASE("U-30 a client that goes away while its connection is made frees the place") {
        fixture f({.max_connections = 1});
        f.server.fill_backlog();
        pending<result<lease>> dialing;
        f.start(dialing);
        CHECK_FALSE(dialing.done);
        CHECK(f.pool->counts().open == 1);
        f.abort.fire(http::abort_reason::client_gone);
        f.l.poll();
        REQUIRE(dialing.done);
        CHECK(f.l.finish(dialing).error().code == errc::client_gone);
        CHECK(f.pool->counts().open == 0);
        CHECK(f.l.run(f.pool->acquire(f.abort)).error().code == errc::client_gone);
    }

    TEST_CASE("a connection that cannot be made frees its place for the next in line") {
        fixture f({.max_connections = 1, .pool_wait = 5s});
        lease a = f.acquire();
        f.server.close();
        pending<result<lease>> first;
        f.start(first);
        pending<result<lease>> second;
        f.start(second);
        a = lease();
        CHECK(f.l.finish(first).error().code == errc::upstream_error);
        CHECK(f.l.finish(second).error().code == errc::upstream_error);
        CHECK(f.pool->counts().open == 0);
    }

    TEST_CASE("idle connections are closed when their time is up, by the pool itself") {
        fixture f({.keepalive = 100ms});
        auto peer = f.make_idle();
        CHECK(f.pool->counts().idle == 1);
        f.l.run_until([&] { return f.pool->counts().idle == 0; });
        CHECK(f.pool->counts().open == 0);
        CHECK(peer.read_to_end().empty());
    }

    TEST_CASE("idle connections can be closed at any time, those in use stay") {
        fixture f;
        lease a = f.acquire();
        lease b = f.acquire();
        lease c = f.acquire();
        b.give_back(f.now());
        c.give_back(f.now() + 10s);
        f.pool->close_expired(f.now() + 60s);
        CHECK(f.pool->counts().open == 2);
        CHECK(f.pool->counts().idle == 1);
        f.pool->close_idle();
        CHECK(f.pool->counts().open == 1);
        CHECK(f.pool->counts().idle == 0);
        CHECK(a.stream().quiet());
    }

    TEST_CASE("a connection beyond its lifetime is closed instead of given back") {
        fixture f({.max_lifetime = 10s});
        lease a = f.acquire();
        auto peer = f.server.accept();
        a.give_back(f.now() + 10s);
        CHECK(f.pool->counts().open == 0);
        CHECK(peer.read_to_end().empty());
    }

    TEST_CASE("many callers share few connections, and all are served") {
        fixture f({.max_connections = 3, .pool_wait = 5s});
        std::vector<std::unique_ptr<pending<result<lease>>>> callers;
        for (int i = 0; i < 100; ++i) {
            callers.push_back(std::make_unique<pending<result<lease>>>());
            f.start(*callers.back(), i % 7 == 0);
        }
        for (std::size_t i = 0; i < callers.size(); ++i) {
            lease got = f.l.finish(*callers[i]).value();
            CHECK(f.pool->counts().open <= 3);
            if (i % 5 != 0) {
                got.give_back(f.now());
            }
        }
        CHECK(f.pool->counts().waiting == 0);
        CHECK(f.pool->counts().open == f.pool->counts().idle);
    }
}
