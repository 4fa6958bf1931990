#include "gateway/server/response_writer.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace concurred;
using server::body_framing;

namespace {

class endless final : public http::body_source {
public:
    base::task<base::result<http::chunk>> next() override { co_return http::chunk{}; }
};

http::response with_body() {
    http::response r;
    r.body = std::make_unique<endless>();
    return r;
}

}  // namespace

TEST_SUITE("server/response_writer") {
    TEST_CASE("the date is an IMF-fixdate") {
        server::date_text date;
        // RFC 9110 5.6.7
        CHECK(date.at(base::wall_time(std::chrono::seconds(784'111'777))) == "Sun, 06 Nov 1994 08:49:37 GMT");
        CHECK(date.at(base::wall_time(std::chrono::seconds(0))) == "Thu, 01 Jan 1970 00:00:00 GMT");
    }

    TEST_CASE("the framing follows the body, the version and the method") {
        http::response text;
        text.content = "hello";
        CHECK(server::choose_framing(text, 11, false, true).framing == body_framing::length);
        CHECK(server::choose_framing(text, 11, false, true).length == 5);
        CHECK(server::choose_framing(text, 11, true, true).framing == body_framing::none);
        CHECK(server::choose_framing(text, 11, true, true).length == 5);
        CHECK(server::choose_framing(with_body(), 11, false, true).framing == body_framing::chunked);
        CHECK(server::choose_framing(with_body(), 10, false, true).framing == body_framing::close);
        CHECK_FALSE(server::choose_framing(with_body(), 10, false, true).keep_alive);
        http::response nothing;
        nothing.status = 204;
        CHECK_FALSE(server::choose_framing(nothing, 11, false, true).length.has_value());
        http::response last;
        last.close = true;
        CHECK_FALSE(server::choose_framing(last, 11, false, true).keep_alive);
    }

    TEST_CASE("a head has what the framing says") {
        http::response r;
        r.content = "{}";
        server::head_text head;
        const auto choice = server::choose_framing(r, 11, false, true);
        server::write_head(head, r, choice, 11, "Sun, 06 Nov 1994 08:49:37 GMT", "X-A: b\r\n");
        CHECK(head.view() ==
              "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: application/json\r\n"
              "Content-Length: 2\r\nX-A: b\r\n\r\n");
        http::response none;
        none.status = 204;
        server::head_text bare;
        server::write_head(bare, none, server::choose_framing(none, 11, false, false), 11, "D", "");
        CHECK(bare.view() == "HTTP/1.1 204 No Content\r\nDate: D\r\nConnection: close\r\n\r\n");
    }

    TEST_CASE("chunk sizes are hexadecimal") {
        server::chunk_prefix prefix;
        server::write_chunk_prefix(prefix, 500);
        CHECK(prefix.view() == "1f4\r\n");
    }
}
