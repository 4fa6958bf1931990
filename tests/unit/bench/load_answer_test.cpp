#include "bench/load_answer.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using concurred::bench::load_answer;
using concurred::bench::token_stamp;
using state = load_answer::state;

namespace {

struct note_taker final : load_answer::listener {
    void on_content(const std::optional<token_stamp>& stamp) override { stamps.push_back(stamp); }
    std::vector<std::optional<token_stamp>> stamps;
};

std::string chunk(const std::string& text) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string size;
    for (std::size_t n = text.size(); n != 0; n /= 16) {
        size.insert(size.begin(), digits[n % 16]);
    }
    return size + "\r\n" + text + "\r\n";
}

std::string token(const std::string& text) {
    return "data: {\"choices\":[{\"delta\":{\"content\":\"" + text + "\"}}]}\n\n";
}

const std::string stream_head =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
const std::string done = "data: [DONE]\n\n";

/// Feeds `text` in pieces of `size` bytes.
state feed(load_answer& answer, const std::string& text, note_taker& notes, std::size_t size) {
    answer.begin();
    state last = state::more;
    for (std::size_t at = 0; at < text.size(); at += size) {
        std::string piece = text.substr(at, size);
        last = answer.feed(piece, notes);
    }
    return last;
}

}  // namespace

TEST_SUITE("bench/load_answer") {
    TEST_CASE("a stream is read alike however it is cut") {
        const std::string text = stream_head + chunk(token("")) + chunk(": keep-alive\n\n") + chunk(token("@11:0 ")) +
                                 chunk(token("@12:1 ") + token("@13:2 ")) + chunk(done) + "0\r\n\r\n";
        for (const std::size_t size : {1U, 2U, 7U, 50U, 10'000U}) {
            CAPTURE(size);
            load_answer answer;
            note_taker notes;
            CHECK(feed(answer, text, notes, size) == state::complete);
            CHECK(answer.status() == 200);
            CHECK(answer.stream());
            CHECK(answer.end_mark());
            CHECK(answer.keep_alive());
            CHECK_FALSE(answer.error_event());
            CHECK_FALSE(answer.surplus());
            CHECK(answer.events() == 5);  // the comment is none
            REQUIRE(notes.stamps.size() == 3);
            CHECK(notes.stamps[2]->sent_us == 13);
            answer.order().end(3);
            CHECK(answer.order().lost() == 0);
        }
    }

    TEST_CASE("content without a stamp counts as content; an event without content does not") {
        load_answer answer;
        note_taker notes;
        feed(answer, stream_head + chunk(token("Hello") + token("") + done) + "0\r\n\r\n", notes, 10'000);
        REQUIRE(notes.stamps.size() == 1);
        CHECK_FALSE(notes.stamps[0]);
    }

    TEST_CASE("an error in a stream is noticed, and a stream without its end mark") {
        load_answer answer;
        note_taker notes;
        const std::string error = "data: {\"error\":{\"message\":\"no\"}}\n\n";
        CHECK(feed(answer, stream_head + chunk(token("a")) + chunk(error) + "0\r\n\r\n", notes, 10'000) ==
              state::complete);
        CHECK(answer.error_event());
        CHECK_FALSE(answer.end_mark());
    }

    TEST_CASE("a plain answer ends with its length; what follows is too much") {
        load_answer answer;
        note_taker notes;
        const std::string plain = "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 2\r\n\r\n{}";
        CHECK(feed(answer, plain, notes, 3) == state::complete);
        CHECK(answer.status() == 429);
        CHECK_FALSE(answer.stream());
        CHECK_FALSE(answer.surplus());
        CHECK(feed(answer, plain + "HTTP/1.1 ", notes, 10'000) == state::complete);
        CHECK(answer.surplus());
    }

    TEST_CASE("an answer that ends with its connection is complete only when its framing says so") {
        load_answer answer;
        note_taker notes;
        CHECK(feed(answer, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc", notes, 10'000) == state::more);
        CHECK(answer.end_of_input() == state::complete);
        CHECK(feed(answer, stream_head + chunk(token("a")), notes, 10'000) == state::more);
        CHECK(answer.end_of_input() == state::more);
    }

    TEST_CASE("what is not HTTP is malformed") {
        load_answer answer;
        note_taker notes;
        CHECK(feed(answer, "220 smtp ready\r\n", notes, 10'000) == state::malformed);
    }
}
