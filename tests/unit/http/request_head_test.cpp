#include "gateway/http/request_head.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace concurred;
using base::errc;

namespace {

base::result<http::request_head> parse(const std::string& bytes, const http::head_limits& limits = {}) {
    http::head_scanner scanner;
    const auto scanned = scanner.scan(bytes, limits);
    if (!scanned) {
        return scanned.error();
    }
    if (*scanned != http::head_scanner::status::complete) {
        return base::client_error(errc::request_timeout, "incomplete");
    }
    http::request_head head;
    if (auto ok = http::parse_request_head(std::string_view(bytes).substr(0, scanner.size()), limits, head); !ok) {
        return ok.error();
    }
    return head;
}

std::string with(const std::string& line, const std::string& fields = "Host: h\r\n") {
    return line + "\r\n" + fields + "\r\n";
}

}  // namespace

TEST_SUITE("http/request_head") {
    TEST_CASE("a plain request is read") {
        const std::string bytes = with("POST /api/v1/chat/completions?a=1 HTTP/1.1",
                                       "Host: example.com:8080\r\nX-Test: \t a b \t\r\nContent-Length: 5\r\n") +
                                  "hello";
        http::head_scanner scanner;
        const auto scanned = scanner.scan(bytes, {});
        REQUIRE(scanned.has_value());
        CHECK(*scanned == http::head_scanner::status::complete);
        CHECK(scanner.size() == bytes.size() - 5);
        http::request_head head;
        REQUIRE(http::parse_request_head(std::string_view(bytes).substr(0, scanner.size()), {}, head).has_value());
        CHECK(head.method == http::verb::post);
        CHECK(head.path == "/api/v1/chat/completions");
        CHECK(head.query == "a=1");
        CHECK(head.host == "example.com:8080");
        CHECK(head.find("x-test") == "a b");
        CHECK(head.content_length == 5);
        CHECK(head.keep_alive);
        CHECK(head.has_body());
    }

    TEST_CASE("what is ambiguous or malformed is refused with 400") {
        const std::vector<std::string> cases{
            // framing: rows B1 to B4 and B12 of what Beast 1.81 lets through
            with("POST / HTTP/1.1", "Host: h\r\nTransfer-Encoding: gzip\r\n"),
            with("POST / HTTP/1.1", "Host: h\r\nTransfer-Encoding: identity\r\nContent-Length: 5\r\n"),
            with("POST / HTTP/1.1", "Host: h\r\nTransfer-Encoding: xchunked\r\n"),
            with("POST / HTTP/1.1", "Host: h\r\nTransfer-Encoding: chunked, gzip\r\n"),
            with("POST / HTTP/1.1", "Host: h\r\nTransfer-Encoding: gzip, chunked\r\n"),
            with("POST / HTTP/1.1", "Host: h\r\nTransfer-Encoding: chunked, chunked\r\n"),
            with("POST / HTTP/1.1", "Host: h\r\nTransfer-Encoding:\r\n"),
            with("POST / HTTP/1.1",
                 "Host: h\r\nTransfer-Encoding: \xa0"
                 "chunked\r\n"),
            with("POST / HTTP/1.1", "Host: h\r\nTransfer-Encoding: \"chunked\"\r\n"),
            with("POST / HTTP/1.1", "Host: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n"),
            with("POST / HTTP/1.1", "Host: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
            with("POST / HTTP/1.1", "Host: h\r\nTransfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n"),
            with("POST / HTTP/1.0", "Host: h\r\nTransfer-Encoding: chunked\r\n"),
            with("POST / HTTP/1.1", "Host: h\r\nContent-Length: 5, 5\r\n"),
            with("POST / HTTP/1.1", "Host: h\r\nContent-Length: 5\r\nContent-Length: 5\r\n"),
            with("POST / HTTP/1.1", "Host: h\r\nContent-Length: +5\r\n"),
            with("POST / HTTP/1.1", "Host: h\r\nContent-Length: -0\r\n"),
            with("POST / HTTP/1.1", "Host: h\r\nContent-Length: 0x5\r\n"),
            with("POST / HTTP/1.1", "Host: h\r\nContent-Length: 05\r\n"),
            with("POST / HTTP/1.1", "Host: h\r\nContent-Length: 1 0\r\n"),
            with("POST / HTTP/1.1", "Host: h\r\nContent-Length: \r\n"),
            with("POST / HTTP/1.1", "Host: h\r\nContent-Length: 99999999999999999999\r\n"),
            with("POST / HTTP/1.1", "Host: h\r\nContent_Length: 5\r\n"),
            with("POST / HTTP/1.1", "Host: h\r\nTransfer_Encoding: chunked\r\n"),
            // lines and names: B9 and the rest of the grammar
            with("GET / HTTP/1.1", "Host: h\r\nX: a\r\n b\r\n"), with("GET / HTTP/1.1", " X: a\r\nHost: h\r\n"),
            with("GET / HTTP/1.1", "Host: h\r\nX : a\r\n"), with("GET / HTTP/1.1", "Host: h\r\n: a\r\n"),
            with("GET / HTTP/1.1", "Host: h\r\nno colon\r\n"), with("GET / HTTP/1.1", "Host: h\r\nX[: a\r\n"),
            with("GET / HTTP/1.1", std::string("Host: h\r\nX: a\0b\r\n", 17)),
            with("GET / HTTP/1.1", "Host: h\r\nX: a\x07\r\n"), with("GET / HTTP/1.1", "Host: h\r\nX: a\rb\r\n"),
            "GET / HTTP/1.1\nHost: h\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\n\r\n",
            "\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
            // Host: B10
            "GET / HTTP/1.1\r\n\r\n", with("GET / HTTP/1.1", "Host: h\r\nHost: h\r\n"),
            with("GET / HTTP/1.1", "Host: \r\n"), with("GET / HTTP/1.1", "Host: a,b\r\n"),
            with("GET / HTTP/1.1", "Host: a@b\r\n"), with("GET / HTTP/1.1", "Host: a/b\r\n"),
            with("GET / HTTP/1.1", "Host: a:b\r\n"),
            // targets and methods: B11
            with("GET * HTTP/1.1"), with("GET  / HTTP/1.1"), with("GET /a b HTTP/1.1"), with("GET /#f HTTP/1.1"),
            with("GET /\\a HTTP/1.1"), with("GET /caf\xc3\xa9 HTTP/1.1"), with("GET /%00 HTTP/1.1"),
            with("GET /%0d%0a HTTP/1.1"), with("GET /%zz HTTP/1.1"), with("GET a HTTP/1.1"),
            with("GET http://other/ HTTP/1.1"), with("CONNECT h:443 HTTP/1.1"), with("GET / http/1.1"),
            with("GET / HTTP/1"), with("GET / HTTP/01.1"), with("GET\t/ HTTP/1.1"), with("GET HTTP/1.1"), with("GET /"),
            "\x16\x03\x01\x02",  // a TLS hello
        };
        for (const std::string& bytes : cases) {
            CAPTURE(bytes);
            const auto head = parse(bytes);
            REQUIRE_FALSE(head.has_value());
            CHECK(head.error().code == errc::bad_request);
        }
    }

    TEST_CASE("a target in absolute form counts like its path when the host agrees") {
        const std::string bytes = with("GET http://h/a?b HTTP/1.1");
        const auto head = parse(bytes);
        REQUIRE(head.has_value());
        CHECK(head->path == "/a");
        CHECK(head->query == "b");
    }

    TEST_CASE("versions other than 1.0 and 1.1 are named as unsupported") {
        for (const char* version : {"HTTP/1.2", "HTTP/2.0", "HTTP/9.9", "HTTP/0.9"}) {
            const auto head = parse(with(std::string("GET / ") + version));
            REQUIRE_FALSE(head.has_value());
            CHECK(head.error().code == errc::version_unsupported);
        }
    }

    TEST_CASE("keep-alive follows the version and the Connection header") {
        const struct {
            const char* line;
            const char* connection;
            bool expected;
        } cases[] = {
            {"GET / HTTP/1.1", "", true},
            {"GET / HTTP/1.1", "Connection: close\r\n", false},
            {"GET / HTTP/1.1", "Connection: x, Close\r\n", false},
            {"GET / HTTP/1.0", "", false},
            {"GET / HTTP/1.0", "Connection: keep-alive\r\n", true},
        };
        for (const auto& c : cases) {
            const auto head = parse(with(c.line, std::string("Host: h\r\n") + c.connection));
            REQUIRE(head.has_value());
            CHECK(head->keep_alive == c.expected);
        }
    }

    TEST_CASE("an expectation other than 100-continue fails") {
        CHECK(parse(with("POST / HTTP/1.1", "Host: h\r\nExpect: 100-Continue\r\n"))->expect_continue);
        CHECK(parse(with("POST / HTTP/1.1", "Host: h\r\nExpect: 200-ok\r\n")).error().code == errc::expectation_failed);
        CHECK_FALSE(parse(with("POST / HTTP/1.0", "Host: h\r\nExpect: 100-continue\r\n"))->expect_continue);
    }

    TEST_CASE("limits have a status each") {
        const http::head_limits limits{.target_bytes = 20, .head_bytes = 200, .fields = 3};
        CHECK(parse(with("GET /" + std::string(19, 'a') + " HTTP/1.1"), limits).has_value());
        CHECK(parse(with("GET /" + std::string(20, 'a') + " HTTP/1.1"), limits).error().code == errc::uri_too_long);
        CHECK(parse("GET /" + std::string(100, 'a'), limits).error().code == errc::uri_too_long);
        CHECK(parse(with("GET / HTTP/1.1", "Host: h\r\nA: 1\r\nB: 2\r\n"), limits).has_value());
        CHECK(parse(with("GET / HTTP/1.1", "Host: h\r\nA: 1\r\nB: 2\r\nC: 3\r\n"), limits).error().code ==
              errc::header_fields_too_large);
        CHECK(parse(with("GET / HTTP/1.1", "Host: h\r\nA: " + std::string(200, 'a') + "\r\n"), limits).error().code ==
              errc::header_fields_too_large);
        CHECK(parse("GET / HTTP/1.1\r\nHost: h\r\nA: " + std::string(200, 'a'), limits).error().code ==
              errc::header_fields_too_large);
    }

    TEST_CASE("a head that comes byte by byte is the same head") {
        const std::string bytes = with("GET /a HTTP/1.1", "Host: h\r\nX-A: b\r\n");
        http::head_scanner scanner;
        for (std::size_t n = 1; n < bytes.size(); ++n) {
            const auto scanned = scanner.scan(std::string_view(bytes).substr(0, n), {});
            REQUIRE(scanned.has_value());
            CHECK(*scanned == http::head_scanner::status::need_more);
        }
        const auto scanned = scanner.scan(bytes, {});
        REQUIRE(scanned.has_value());
        CHECK(*scanned == http::head_scanner::status::complete);
        CHECK(scanner.size() == bytes.size());
    }
}
