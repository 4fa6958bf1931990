#include "gateway/http/chunk_decoder.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace concurred;

namespace {

struct outcome {
    bool failed = false;
    bool finished = false;
    std::string body;
    std::string rest;

    friend bool operator==(const outcome&, const outcome&) = default;
};

// Decodes the pieces one after the other.
outcome decode(const std::vector<std::string>& pieces) {
    http::chunk_decoder decoder;
    outcome o;
    for (const std::string& piece : pieces) {
        if (o.finished) {
            o.rest += piece;
            continue;
        }
        std::string out(piece.size(), '\0');
        const auto done = decoder.decode(piece, out.data());
        if (!done) {
            o.failed = true;
            return o;
        }
        o.body.append(out, 0, done->produced);
        o.rest.append(piece, done->consumed);
        o.finished = done->finished;
    }
    return o;
}

}  // namespace

TEST_SUITE("http/chunk_decoder") {
    TEST_CASE("well-formed bodies are decoded, however they are cut") {
        const struct {
            std::string wire;
            std::string body;
            std::string rest;
        } cases[] = {
            {"5\r\nhello\r\n0\r\n\r\n", "hello", ""},
            {"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world", ""},
            {"A\r\n0123456789\r\n00\r\n\r\n", "0123456789", ""},
            {"0\r\n\r\n", "", ""},
            {"1;a=b;c=\"d\\\"e\"\r\nx\r\n0;last\r\n\r\n", "x", ""},
            {"1\r\nx\r\n0\r\nX-Checksum: abc\r\nAuthorization: Bearer evil\r\n\r\n", "x", ""},
            {"1\r\nx\r\n0\r\n\r\nGET / HTTP/1.1\r\n", "x", "GET / HTTP/1.1\r\n"},
        };
        for (const auto& c : cases) {
            CAPTURE(c.wire);
            const outcome whole = decode({c.wire});
            CHECK(whole == outcome{false, true, c.body, c.rest});
            for (std::size_t cut = 1; cut < c.wire.size(); ++cut) {
                CAPTURE(cut);
                CHECK(decode({c.wire.substr(0, cut), c.wire.substr(cut)}) == whole);
            }
        }
    }

    TEST_CASE("anything else is refused, however it is cut") {
        const std::vector<std::string> cases{
            "+5\r\nhello\r\n0\r\n\r\n",
            "-1\r\nhello\r\n0\r\n\r\n",
            "0x5\r\nhello\r\n0\r\n\r\n",
            " 5\r\nhello\r\n0\r\n\r\n",
            "5 \r\nhello\r\n0\r\n\r\n",
            "1_0\r\nhello\r\n0\r\n\r\n",
            "5\nhello\r\n0\r\n\r\n",
            "5\rhello\r\n0\r\n\r\n",
            "5;\r\nhello\r\n0\r\n\r\n",
            "5;\nhello\r\n0\r\n\r\n",
            "5;a\rX\r\nhello\r\n0\r\n\r\n",
            "5;bad[=x\r\nhello\r\n0\r\n\r\n",
            std::string("5;\0ext\r\nhello\r\n0\r\n\r\n", 20),
            "5\r\nhello!!\r\n0\r\n\r\n",
            "5\r\nhello0\r\n\r\n",
            "5\r\nhello\n0\r\n\r\n",
            "FFFFFFFFFFFFFFFF0\r\nhello\r\n0\r\n\r\n",
            std::string(5'000, '0') + "5\r\nhello\r\n0\r\n\r\n",
            "5;a=\"open\r\nhello\r\n0\r\n\r\n",
            "\r\nhello",
            "g\r\nhello",
            "1\r\nx\r\n0\r\n\n",
            "1\r\nx\r\n0\r\nbad name: x\r\n\r\n",
            "1;" + std::string(9'000, 'a') + "\r\nx\r\n0\r\n\r\n",
            "1\r\nx\r\n0\r\nA: " + std::string(17'000, 'a') + "\r\n\r\n",
        };
        for (const std::string& wire : cases) {
            CAPTURE(wire.substr(0, 40));
            CHECK(decode({wire}).failed);
            for (std::size_t cut = 1; cut < std::min<std::size_t>(wire.size(), 60); ++cut) {
                CHECK(decode({wire.substr(0, cut), wire.substr(cut)}).failed);
            }
        }
    }

    TEST_CASE("a body of one-byte chunks with long extensions is refused once the framing outweighs it") {
        http::chunk_decoder decoder;
        const std::string chunk = "1;" + std::string(100, 'a') + "\r\nx\r\n";
        std::string out(chunk.size(), '\0');
        bool refused = false;
        for (int i = 0; i < 2'000 && !refused; ++i) {
            refused = !decoder.decode(chunk, out.data());
        }
        CHECK(refused);
    }

    TEST_CASE("it decodes in place") {
        http::chunk_decoder decoder;
        std::string bytes = "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
        const auto done = decoder.decode(bytes, bytes.data());
        REQUIRE(done.has_value());
        CHECK(bytes.substr(0, done->produced) == "hello world");
    }
}
