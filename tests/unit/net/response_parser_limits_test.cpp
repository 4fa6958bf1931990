#include "gateway/net/response_parser.hpp"

#include "tests/unit/net/parser_run.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

using namespace concurred;
using net::response_parser;
using net::test::parse;

namespace {

const std::string ok = "HTTP/1.1 200 OK\r\n";
const std::string chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";

/// Whether the parser refuses `wire`, whole and in reads of various sizes.
std::vector<bool> refusals(std::string_view wire) {
    std::vector<bool> found;
    response_parser parser;
    found.push_back(parse(parser, wire).failed);
    for (const std::size_t size : {1'000U, 1'448U, 16'383U, 16'384U, 16'385U, 60'000U}) {
        std::vector<std::size_t> cuts;
        for (std::size_t at = size; at < wire.size(); at += size) {
            cuts.push_back(at);
        }
        parser.reset();
        found.push_back(parse(parser, wire, cuts).failed);
    }
    return found;
}

void check_refused(std::string_view wire, bool expected) {
    CHECK(refusals(wire) == std::vector<bool>(7, expected));
}

/// A head of exactly `size` octets, with its empty line.
std::string head_of(std::size_t size) {
    std::string head = ok + "Content-Length: 0\r\n";
    const std::string name = "X-Filler: ";
    const std::string end = "\r\n\r\n";
    const std::size_t filler = size - head.size() - name.size() - end.size();
    return head + name + std::string(filler, 'f') + end;
}

std::string fields(int count) {
    std::string all = ok + "Content-Length: 0\r\n";
    for (int i = 1; i < count; ++i) {
        all += "a:b\r\n";
    }
    return all + "\r\n";
}

/// A chunk-size line of `size` octets, with the CR LF before it: what surrounds one chunk.
std::string long_chunk(std::size_t size) {
    return chunked + "1\r\nx\r\n1;" + std::string(size - 6, 'e') + "\r\ny\r\n0\r\n\r\n";
}

}  // namespace

TEST_SUITE("net/response_parser") {
    TEST_CASE("U-15 a head may measure 64 KiB, in whatever reads it comes") {
        check_refused(head_of(65'536), false);
        check_refused(head_of(65'537), true);
        check_refused("HTTP/1.1 200 " + std::string(100'000, 'O') + "\r\n\r\n", true);
    }

    TEST_CASE("U-15 a head may have 256 fields") {
        check_refused(fields(256), false);
        check_refused(fields(257), true);
        check_refused(fields(10'000), true);
    }

    TEST_CASE("what surrounds a chunk may measure 16 KiB") {
        check_refused(long_chunk(16'384), false);
        check_refused(long_chunk(16'385), true);
        check_refused(chunked + "1\r\nx\r\n1;" + std::string(100'000, 'e'), true);
        check_refused(chunked + std::string(20'000, '0') + "1\r\nx\r\n0\r\n\r\n", true);
    }

    TEST_CASE("trailers may measure 16 KiB together") {
        const std::string prefix = chunked + "1\r\nx\r\n0\r\n";
        // The CR LF of the chunk before and the size line of the last chunk belong to the same count.
        const std::size_t room = 16'384 - 5 - 2;
        const std::string name = "X: ";
        CHECK(refusals(prefix + name + std::string(room - name.size() - 2, 't') + "\r\n\r\n") ==
              std::vector<bool>(7, false));
        CHECK(refusals(prefix + name + std::string(room - name.size() - 1, 't') + "\r\n\r\n") ==
              std::vector<bool>(7, true));
        std::string flood = prefix;
        for (int i = 0; i < 100'000; ++i) {
            flood += "a:b\r\n";
        }
        check_refused(flood, true);
    }

    TEST_CASE("an answer may not be mostly framing") {
        const std::string extension(100, 'e');
        std::string wire = chunked;
        for (int i = 0; i < 600; ++i) {
            wire += "1;" + extension + "\r\nx\r\n";
        }
        check_refused(wire, false);  // not yet
        for (int i = 0; i < 100; ++i) {
            wire += "1;" + extension + "\r\nx\r\n";
        }
        check_refused(wire, true);
    }

    TEST_CASE("small chunks are no abuse: a stream is made of them") {
        std::string wire = chunked;
        for (int i = 0; i < 50'000; ++i) {
            wire += "1\r\nx\r\n";
        }
        check_refused(wire, false);
    }

    TEST_CASE("B16 an answer may be longer than 8 MiB") {
        constexpr std::size_t size = 9 * 1'024 * 1'024;
        const std::string body(size, 'b');
        response_parser parser;
        std::vector<std::size_t> cuts;
        for (std::size_t at = 65'536; at < size; at += 65'536) {
            cuts.push_back(at);
        }
        const std::string counted = ok + "Content-Length: " + std::to_string(size) + "\r\n\r\n" + body;
        CHECK(parse(parser, counted, cuts).payload == body);
        parser.reset();
        CHECK(parse(parser, chunked + "900000\r\n" + body + "\r\n0\r\n\r\n", cuts).payload == body);
        parser.reset();
        CHECK(parse(parser, ok + "\r\n" + body, cuts).payload == body);
    }
}
