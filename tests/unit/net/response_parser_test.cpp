#include "gateway/net/response_parser.hpp"

#include "tests/unit/net/parser_run.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

using namespace concurred;
using net::response_parser;
using net::test::parse;
using net::test::parsed;

namespace {

struct row {
    std::string_view what;
    std::string wire;
    parsed expected;
    bool to_head = false;
};

const parsed failure{.failed = true};

parsed answer(unsigned status, std::string payload, bool keep_alive, std::string rest = {}) {
    return {.head = true,
            .finished = true,
            .complete = true,
            .keep_alive = keep_alive,
            .status = status,
            .payload = std::move(payload),
            .rest = std::move(rest)};
}

/// An answer that is not over at the end of the bytes. `complete`: the end of the connection ends it properly.
parsed open_answer(unsigned status, std::string payload, bool complete, bool keep_alive = false) {
    return {
        .head = true, .complete = complete, .keep_alive = keep_alive, .status = status, .payload = std::move(payload)};
}

const std::string ok = "HTTP/1.1 200 OK\r\n";
const std::string chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";

std::string repeat(std::string_view text, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) {
        all += text;
    }
    return all;
}

// U-07 to U-21 of the threat catalogue, as far as a parser sees them; RFC 9112 6 and 7.
const std::vector<row> rows{
    {"a counted body", ok + "Content-Length: 5\r\n\r\nhello", answer(200, "hello", true)},
    {"an empty body", ok + "Content-Length: 0\r\n\r\n", answer(200, "", true)},
    {"no reason", "HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\nx", answer(200, "x", true)},
    {"a counted body that asks to close", ok + "Connection: close\r\nContent-Length: 2\r\n\r\nhi",
     answer(200, "hi", false)},
    {"a counted body cut short", ok + "Content-Length: 5\r\n\r\nhel", open_answer(200, "hel", false, true)},
    {"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", answer(200, "hi", false)},
    {"HTTP/1.0 kept alive", "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nhi",
     answer(200, "hi", true)},

    {"chunks", chunked + "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n", answer(200, "hello world", true)},
    {"chunks in capitals of any kind", ok + "TRANSFER-ENCODING: Chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
     answer(200, "x", true)},
    {"no chunk but the last", chunked + "0\r\n\r\n", answer(200, "", true)},
    {"hexadecimal sizes", chunked + "a\r\n0123456789\r\nB\r\nabcdefghijk\r\n000\r\n\r\n",
     answer(200, "0123456789abcdefghijk", true)},
    {"chunks without the last", chunked + "5\r\nhello\r\n", open_answer(200, "hello", false, true)},
    {"a chunk cut short", chunked + "5\r\nhel", open_answer(200, "hel", false, true)},
    {"trailers", chunked + "1\r\nx\r\n0\r\nX-A: b\r\nContent-Type: text/html\r\n\r\n", answer(200, "x", true)},
    {"a last chunk with an extension", chunked + "1\r\nx\r\n0;last\r\n\r\n", answer(200, "x", true)},

    {"a body that ends with the connection", ok + "Content-Type: text/event-stream\r\n\r\ndata: 1\n\n",
     open_answer(200, "data: 1\n\n", true)},
    {"nothing but a head", ok + "\r\n", open_answer(200, "", true)},
    {"a head cut short", ok + "Content-Le", {}},
    {"nothing at all", "", {}},

    {"U-17 a second answer behind the first", ok + "Content-Length: 2\r\n\r\nhi" + ok + "\r\n",
     answer(200, "hi", true, ok + "\r\n")},
    {"U-17 octets behind the last chunk", chunked + "1\r\nx\r\n0\r\n\r\nsurplus", answer(200, "x", true, "surplus")},
    {"U-18 100, 103 and the answer",
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n"
     "Content-Length: 3\r\n\r\n" +
         ok + "Content-Length: 1\r\n\r\nx",
     answer(200, "x", true)},
    {"U-18 sixteen interim answers", repeat("HTTP/1.1 102 \r\n\r\n", 16) + ok + "Content-Length: 0\r\n\r\n",
     answer(200, "", true)},
    {"U-19 204 with a body", "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nhi", answer(204, "", true, "hi")},
    {"U-19 304 with a body", "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\nhi", answer(304, "", true, "hi")},
    {"U-19 HEAD with a body", ok + "Content-Length: 2\r\n\r\nhi", answer(200, "", true, "hi"), true},
    {"U-19 HEAD behind an interim answer", "HTTP/1.1 100 \r\n\r\n" + ok + "Content-Length: 2\r\n\r\n",
     answer(200, "", true), true},
    {"U-23 an early refusal", "HTTP/1.1 413 Payload Too Large\r\nContent-Length: 0\r\n\r\n", answer(413, "", true)},

    {"U-15 garbage", "\x16\x03\x01\x02garbage", failure},
    {"U-15 garbage without an end", repeat("abc", 40), failure},
    {"U-15 HTTP/0.9", "<html>hello</html>", failure},
    {"U-15 HTTP/2", "HTTP/2 200\r\n\r\n", failure},
    {"U-15 HTTP/1.2", "HTTP/1.2 200 OK\r\n\r\n", failure},
    {"U-15 a preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", failure},
    {"a status that is no number", "HTTP/1.1 2x0 OK\r\n\r\n", failure},
    {"a status of two digits", "HTTP/1.1 20 OK\r\n\r\n", failure},
    {"a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", failure},
    {"a status below 100", "HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n", failure},
    {"bare LF in the head", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", failure},
    {"bare CR in a value", ok + "X: a\rb\r\n\r\n", failure},
    {"NUL in a value", ok + std::string("X: a\0b\r\n\r\n", 10), failure},
    {"a space before the colon", ok + "Content-Length : 0\r\n\r\n", failure},
    {"an empty name", ok + ": x\r\n\r\n", failure},
    {"B9 a folded line", ok + "X: a\r\n b\r\nContent-Length: 0\r\n\r\n", failure},
    {"B9 a folded framing field", ok + "Transfer-Encoding:\r\n\tchunked\r\n\r\n0\r\n\r\n", failure},

    {"U-16 both framings", ok + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", failure},
    {"U-16 both framings, turned round",
     ok + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n1\r\nx\r\n0\r\n\r\n", failure},
    {"B1 another coding", ok + "Transfer-Encoding: gzip\r\n\r\nx", failure},
    {"B1 identity", ok + "Transfer-Encoding: identity\r\nContent-Length: 1\r\n\r\nx", failure},
    {"B3 a list of codings", ok + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", failure},
    {"B3 two coding fields", ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", failure},
    {"B4 chunks in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", failure},
    {"B12 a list of lengths", ok + "Content-Length: 1, 1\r\n\r\nx", failure},
    {"B12 two equal lengths", ok + "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", failure},
    {"U-16 two different lengths", ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nx", failure},
    {"U-16 a negative length", ok + "Content-Length: -1\r\n\r\n", failure},
    {"a signed length", ok + "Content-Length: +1\r\n\r\nx", failure},
    {"an empty length", ok + "Content-Length:\r\n\r\n", failure},
    {"a length beyond 64 bits", ok + "Content-Length: 18446744073709551616\r\n\r\n", failure},
    {"U-16 a chunk size that is none", chunked + "x\r\n\r\n", failure},
    {"U-16 a negative chunk size", chunked + "-1\r\nx\r\n", failure},
    {"a chunk size with 0x", chunked + "0x1\r\nx\r\n0\r\n\r\n", failure},
    {"a chunk size beyond 64 bits", chunked + "10000000000000000\r\nx\r\n", failure},
    {"a chunk size that ends in LF", chunked + "1\nx\r\n0\r\n\r\n", failure},
    {"a chunk longer than its size", chunked + "1\r\nxy\r\n0\r\n\r\n", failure},
    {"a chunk shorter than its size", chunked + "3\r\nx\r\n0\r\n\r\n", failure},
    {"LF in an extension", chunked + "1;a\nb\r\nx\r\n0\r\n\r\n", failure},
    {"a trailer that is no field", chunked + "0\r\nnonsense\r\n\r\n", failure},
    {"B5 a length among the trailers", chunked + "0\r\nContent-Length: 5\r\n\r\n", failure},
    {"U-18 101 unasked", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n", failure},
    {"U-18 seventeen interim answers", repeat("HTTP/1.1 100 \r\n\r\n", 17) + ok + "Content-Length: 0\r\n\r\n", failure},
};

void check_equal(const parsed& found, const parsed& expected) {
    CHECK(found.failed == expected.failed);
    CHECK(found.head == expected.head);
    CHECK(found.finished == expected.finished);
    CHECK(found.complete == expected.complete);
    CHECK(found.keep_alive == expected.keep_alive);
    CHECK(found.status == expected.status);
    CHECK(found.payload == expected.payload);
    CHECK(found.rest == expected.rest);
}

}  // namespace

TEST_SUITE("net/response_parser") {
    TEST_CASE("answers are framed strictly") {
        response_parser parser;
        for (const row& r : rows) {
            INFO(r.what);
            parser.reset(r.to_head);
            check_equal(parse(parser, r.wire), r.expected);
        }
    }

    TEST_CASE("reads that end anywhere change nothing") {
        response_parser parser;
        for (const row& r : rows) {
            INFO(r.what);
            std::vector<std::size_t> all;
            for (std::size_t cut = 1; cut < r.wire.size(); ++cut) {
                parser.reset(r.to_head);
                const bool same = parse(parser, r.wire, {cut}) == r.expected;
                INFO(cut);
                CHECK(same);
                all.push_back(cut);
            }
            parser.reset(r.to_head);
            check_equal(parse(parser, r.wire, all), r.expected);
        }
    }

    TEST_CASE("what matters in a head is kept") {
        response_parser parser;
        const std::string wire =
            "HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json; charset=utf-8\r\nRetry-After: 7\r\n"
            "retry-after-ms: 6500\r\nX-Should-Retry: true\r\nrequest-id: req_other\r\nx-request-id: req_1\r\n"
            "Content-Encoding: gzip\r\nLocation: https://elsewhere\r\ncontent-length: 2\r\n\r\n{}";
        static_cast<void>(parse(parser, wire));
        CHECK(parser.status() == 429);
        CHECK(parser.content_type() == "application/json; charset=utf-8");
        CHECK(parser.content_length() == 2);
        CHECK_FALSE(parser.chunked());
        CHECK(parser.retry_after() == "7");
        CHECK(parser.retry_after_ms() == "6500");
        CHECK(parser.should_retry() == true);
        CHECK(parser.request_id() == "req_1");
        CHECK(parser.has_encoding());
        CHECK(parser.has_location());

        parser.reset();
        static_cast<void>(parse(parser, chunked));
        CHECK(parser.status() == 200);
        CHECK(parser.chunked());
        CHECK(parser.content_type().empty());
        CHECK_FALSE(parser.content_length().has_value());
        CHECK(parser.retry_after().empty());
        CHECK_FALSE(parser.should_retry().has_value());
        CHECK(parser.request_id().empty());
        CHECK_FALSE(parser.has_encoding());
        CHECK_FALSE(parser.has_location());
    }

    TEST_CASE("the request id is found under either name, and an unencoded answer is no encoded one") {
        response_parser parser;
        static_cast<void>(parse(parser, ok + "Request-Id: req_2\r\nContent-Encoding: identity\r\n"
                                             "X-Should-Retry: false\r\nContent-Length: 0\r\n\r\n"));
        CHECK(parser.request_id() == "req_2");
        CHECK_FALSE(parser.has_encoding());
        CHECK(parser.should_retry() == false);
        parser.reset();
        static_cast<void>(parse(parser, ok + "X-Request-Id: req_3\r\nRequest-Id: req_4\r\nContent-Length: 0\r\n\r\n"));
        CHECK(parser.request_id() == "req_3");
    }

    TEST_CASE("what an interim answer says does not count for the answer") {
        response_parser parser;
        const auto p = parse(parser,
                             "HTTP/1.1 103 Early Hints\r\nContent-Type: text/html\r\nRetry-After: 9\r\n"
                             "Connection: close\r\n\r\n" +
                                 ok + "Content-Length: 0\r\n\r\n");
        CHECK(p == answer(200, "", true));
        CHECK(parser.content_type().empty());
        CHECK(parser.retry_after().empty());
    }

    TEST_CASE("trailers are dropped") {
        response_parser parser;
        const std::string wire = ok +
                                 "Transfer-Encoding: chunked\r\nContent-Type: text/plain\r\n\r\n1\r\nx\r\n0\r\n"
                                 "Content-Type: text/html\r\nx-request-id: forged\r\nRetry-After: 5\r\n\r\n";
        CHECK(parse(parser, wire) == answer(200, "x", true));
        CHECK(parser.content_type() == "text/plain");
        CHECK(parser.request_id().empty());
        CHECK(parser.retry_after().empty());
    }

    TEST_CASE("long values are cut") {
        response_parser parser;
        const std::string type(200, 't');
        const std::string id(100, 'i');
        static_cast<void>(
            parse(parser, ok + "Content-Type: " + type + "\r\nX-Request-Id: " + id + "\r\nContent-Length: 0\r\n\r\n"));
        CHECK(parser.content_type() == std::string_view(type).substr(0, 128));
        CHECK(parser.request_id() == std::string_view(id).substr(0, 64));
    }

    TEST_CASE("an answer that is over takes no more octets") {
        response_parser parser;
        const std::string wire = ok + "Content-Length: 2\r\n\r\nhi";
        CHECK(parse(parser, wire).finished);
        std::string more = "more";
        const auto again = parser.feed(more, more.data());
        REQUIRE(again.has_value());
        CHECK(again->consumed == 0);
        CHECK(again->produced == 0);
        CHECK(again->finished);
    }
}
