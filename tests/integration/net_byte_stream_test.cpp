#include "gateway/net/byte_stream.hpp"

#include "gateway/net/pieces.hpp"
#include "tests/integration/net_loop.hpp"
#include "tests/unit/crypto/tls_fixture.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

using namespace concurred;
using net::byte_stream;
using net::io_result;
using net::io_status;

namespace {

/// Two streams joined over loopback; under TLS, shaken hands.
struct pair {
    pair(net::test::loop& l, crypto::ssl_handle client_tls, crypto::ssl_handle server_tls)
        : pair(net::test::connected_pair(l), std::move(client_tls), std::move(server_tls)) {}
    pair(std::pair<net::tcp_socket, net::tcp_socket> sockets, crypto::ssl_handle client_tls,
         crypto::ssl_handle server_tls)
        : client(std::move(sockets.first), std::move(client_tls)),
          server(std::move(sockets.second), std::move(server_tls)) {}

    byte_stream client;
    byte_stream server;
};

io_result step(byte_stream& s) {
    return s.try_handshake();
}

bool shake_hands(pair& p) {
    for (int flight = 0; flight < 10; ++flight) {
        const io_result at_client = step(p.client);
        const io_result at_server = step(p.server);
        if (at_client.status == io_status::ok && at_server.status == io_status::ok) {
            return true;
        }
    }
    return false;
}

std::unique_ptr<pair> make_plain(net::test::loop& l) {
    return std::make_unique<pair>(l, nullptr, nullptr);
}

std::unique_ptr<pair> make_tls(net::test::loop& l, const crypto::test::tls_fixture& f) {
    auto made =
        std::make_unique<pair>(l, crypto::make_client_session(f.client().get(), "localhost").value(),
                               crypto::make_server_session(f.server_for(crypto::test::localhost).get()).value());
    REQUIRE(shake_hands(*made));
    return made;
}

io_result write(byte_stream& s, std::vector<std::string_view> texts) {
    std::vector<::iovec> pieces;
    for (const std::string_view text : texts) {
        pieces.push_back(net::piece(text));
    }
    return s.try_write(pieces);
}

std::string read(byte_stream& s, std::size_t most = 65'536) {
    std::string into(most, '\0');
    const io_result r = s.try_read(into);
    into.resize(r.status == io_status::ok ? r.bytes : 0);
    return into;
}

std::string read_all(byte_stream& s) {
    std::string all;
    for (std::string more = read(s); !more.empty(); more = read(s)) {
        all += more;
    }
    return all;
}

io_status read_status(byte_stream& s) {
    std::array<char, 1> octet;
    return s.try_read(octet).status;
}

void reset(byte_stream& s) {
    const ::linger at_once{1, 0};
    ::setsockopt(s.native_handle(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    s.close();
}

/// Runs the loop until the stream has heard that its peer is gone.
void hear_the_end(net::test::loop& l, byte_stream& s) {
    bool heard = false;
    s.on_peer_closed([](void* flag) { *static_cast<bool*>(flag) = true; }, &heard);
    l.run_until([&heard] { return heard; });
    CHECK(s.peer_closed());
}

base::task<bool> wait_for_input(byte_stream& s) {
    co_await s.until_ready(net::wait_type::read);
    co_return s.ready(net::wait_type::read);
}

base::task<bool> wait_for_room(byte_stream& s) {
    co_await s.until_ready(net::wait_type::write);
    co_return s.ready(net::wait_type::write);
}

/// Counts the records of application data that go out.
void count_records(int write, int, int content_type, const void* bytes, std::size_t, SSL*, void* counter) {
    if (write == 1 && content_type == SSL3_RT_HEADER && *static_cast<const char*>(bytes) == SSL3_RT_APPLICATION_DATA) {
        ++*static_cast<int*>(counter);
    }
}

/// What both kinds of connection have in common.
void check_conversation(pair& p) {
    CHECK(read_status(p.server) == io_status::want_read);
    const io_result sent = write(p.client, {"POST ", "", "/ HTTP/1.1", "\r\n\r\n"});
    CHECK(sent.status == io_status::ok);
    CHECK(sent.bytes == 19);
    CHECK_FALSE(p.server.quiet());
    CHECK(read(p.server, 4) == "POST");
    CHECK_FALSE(p.server.quiet());
    CHECK(read(p.server) == " / HTTP/1.1\r\n\r\n");
    CHECK(read_status(p.server) == io_status::want_read);
    CHECK(p.server.quiet());
    CHECK(write(p.server, {}).status == io_status::ok);
    CHECK(p.client.try_read({}).status == io_status::ok);
}

/// Sends more than the kernel takes at once, in pieces of many sizes.
void check_bulk(pair& p) {
    std::vector<std::string> texts;
    std::string all;
    for (std::size_t size = 1; all.size() < 8'000'000; size = size * 3 % 40'009) {
        texts.emplace_back(size, static_cast<char>('a' + size % 26));
        all += texts.back();
    }
    std::vector<::iovec> pieces;
    for (const std::string& text : texts) {
        pieces.push_back(net::piece(text));
    }
    std::span<::iovec> left(pieces);
    std::string got;
    bool blocked = false;
    bool failed = false;
    while (got.size() < all.size() && !failed) {
        if (!left.empty()) {
            const io_result r = p.client.try_write(left);
            blocked = blocked || r.status == io_status::want_write;
            failed = r.status == io_status::failed || r.status == io_status::closed;
            left = net::advance(left, r.bytes);
        }
        got += read(p.server, 50'000);
    }
    CHECK(blocked);
    CHECK_FALSE(failed);
    CHECK((got == all));
}

}  // namespace

TEST_SUITE("net/byte_stream") {
    TEST_CASE("a plain connection reads and writes what there is") {
        net::test::loop l;
        const auto p = make_plain(l);
        CHECK_FALSE(p->client.is_tls());
        CHECK(step(p->client).status == io_status::ok);
        check_conversation(*p);
        check_bulk(*p);
    }

    TEST_CASE("a TLS connection reads and writes what there is") {
        net::test::loop l;
        const crypto::test::tls_fixture f;
        const auto p = make_tls(l, f);
        CHECK(p->client.is_tls());
        check_conversation(*p);
        check_bulk(*p);
    }

    TEST_CASE("neither Nagle's delay nor blocking is left on a socket") {
        net::test::loop l;
        const auto p = make_plain(l);
        int no_delay = 0;
        ::socklen_t size = sizeof no_delay;
        ::getsockopt(p->client.native_handle(), IPPROTO_TCP, TCP_NODELAY, &no_delay, &size);
        CHECK(no_delay != 0);
        CHECK((::fcntl(p->client.native_handle(), F_GETFL) & O_NONBLOCK) != 0);
    }

    TEST_CASE("pieces go out in one TLS record as long as they fit into one") {
        net::test::loop l;
        const crypto::test::tls_fixture f;
        const auto p = make_tls(l, f);
        int records = 0;
        SSL_set_msg_callback(p->client.tls(), count_records);
        SSL_set_msg_callback_arg(p->client.tls(), &records);

        const std::string body(16'000, 'b');
        CHECK(write(p->client, {"head", body, "tail"}).bytes == 16'008);
        CHECK(records == 1);
        CHECK((read_all(p->server) == "head" + body + "tail"));

        records = 0;
        const std::string large(40'000, 'c');
        CHECK(write(p->client, {"head", large}).bytes == 40'004);
        CHECK(records == 3);
        CHECK((read_all(p->server) == "head" + large));
    }

    TEST_CASE("a read takes all small records that have come") {
        net::test::loop l;
        const crypto::test::tls_fixture f;
        const auto p = make_tls(l, f);
        for (const std::string_view text : {"one ", "two ", "three"}) {
            static_cast<void>(write(p->server, {text}));
        }
        CHECK(read(p->client) == "one two three");
        CHECK(p->client.quiet());
    }

    TEST_CASE("a peer that closes properly is told from one that is cut off") {
        net::test::loop l;
        const crypto::test::tls_fixture f;
        std::array<char, 16> into;

        auto p = make_plain(l);
        static_cast<void>(write(p->server, {"last"}));
        p->server.shutdown_send();
        hear_the_end(l, p->client);
        CHECK(read(p->client) == "last");
        io_result r = p->client.try_read(into);
        CHECK(r.status == io_status::closed);
        CHECK_FALSE(r.ec.failed());
        CHECK_FALSE(p->client.quiet());

        p = make_tls(l, f);
        static_cast<void>(write(p->server, {"last"}));
        p->server.shutdown_send();
        hear_the_end(l, p->client);
        CHECK(read(p->client) == "last");
        r = p->client.try_read(into);
        CHECK(r.status == io_status::closed);
        CHECK_FALSE(r.ec.failed());
        CHECK_FALSE(p->client.quiet());

        p = make_tls(l, f);
        static_cast<void>(write(p->server, {"last"}));
        p->server.close();
        CHECK(read(p->client) == "last");
        r = p->client.try_read(into);
        CHECK(r.status == io_status::closed);
        CHECK(r.ec == net::stream_truncated);
        CHECK_FALSE(p->client.quiet());
    }

    TEST_CASE("a reset is a failure, on reading and on writing") {
        net::test::loop l;
        const crypto::test::tls_fixture f;
        for (const bool tls : {false, true}) {
            const auto p = tls ? make_tls(l, f) : make_plain(l);
            static_cast<void>(read(p->client));  // tickets of TLS 1.3 are not read any more after a reset
            reset(p->server);
            hear_the_end(l, p->client);
            std::array<char, 16> into;
            const io_result r = p->client.try_read(into);
            CHECK(r.status == io_status::failed);
            CHECK(r.ec == boost::asio::error::connection_reset);
            CHECK_FALSE(p->client.quiet());
            CHECK(write(p->client, {"x"}).status == io_status::failed);
        }
    }

    TEST_CASE("messages of TLS itself do not disturb the quiet") {
        net::test::loop l;
        const crypto::test::tls_fixture f;
        const auto p = make_tls(l, f);
        REQUIRE(SSL_version(p->client.tls()) == TLS1_3_VERSION);
        std::array<char, 1> octet;
        // The server's tickets lie there.
        CHECK(::recv(p->client.native_handle(), octet.data(), 1, MSG_PEEK | MSG_DONTWAIT) == 1);
        CHECK(p->client.quiet());
        static_cast<void>(write(p->server, {"!"}));
        CHECK_FALSE(p->client.quiet());
        CHECK(read(p->client) == "!");
        CHECK(p->client.quiet());
    }

    TEST_CASE("a wait ends when there is something to read, and by cancel") {
        net::test::loop l;
        const auto p = make_plain(l);
        REQUIRE(read_status(p->client) == io_status::want_read);
        net::test::pending<bool> wait;
        l.start(wait_for_input(p->client), wait);
        CHECK_FALSE(wait.done);
        p->client.cancel();
        CHECK_FALSE(l.finish(wait));

        net::test::pending<bool> ready;
        l.start(wait_for_input(p->client), ready);
        static_cast<void>(write(p->server, {"x"}));
        CHECK(l.finish(ready));
        CHECK(read(p->client) == "x");
        CHECK_FALSE(p->client.ready(net::wait_type::read));

        net::test::pending<bool> end;
        l.start(wait_for_input(p->client), end);
        p->server.close();
        CHECK(l.finish(end));
        CHECK(read_status(p->client) == io_status::closed);
    }

    TEST_CASE("a full socket is writable again once the peer has read") {
        net::test::loop l;
        const auto p = make_plain(l);
        const std::string block(1'000'000, 'x');
        std::size_t sent = 0;
        for (io_result r = write(p->client, {block}); r.status == io_status::ok; r = write(p->client, {block})) {
            sent += r.bytes;
        }
        REQUIRE_FALSE(p->client.ready(net::wait_type::write));
        net::test::pending<bool> room;
        l.start(wait_for_room(p->client), room);
        CHECK_FALSE(room.done);
        std::size_t taken = 0;
        while (taken < sent) {
            taken += read_all(p->server).size();
            l.poll();
        }
        CHECK(l.finish(room));
        CHECK(write(p->client, {"y"}).status == io_status::ok);
    }

    TEST_CASE("an event of a socket that is gone does not reach its successor") {
        net::test::loop l;
        auto p = make_plain(l);
        static_cast<void>(read_status(p->client));
        net::test::pending<bool> wait;
        l.start(wait_for_input(p->server), wait);  // so that the loop listens
        static_cast<void>(write(p->server, {"for the old one"}));
        p->client.close();
        const auto next = make_plain(l);
        CHECK(l.finish(wait));
        CHECK(next->client.ready(net::wait_type::write));
        CHECK_FALSE(next->client.ready(net::wait_type::read));
        CHECK_FALSE(next->client.peer_closed());
    }
}
