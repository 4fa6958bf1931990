#include "gateway/base/logger.hpp"

#include "tests/unit/base/log_capture.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cstdlib>

using namespace concurred::base;
using namespace std::chrono_literals;

namespace {

wall_time manual_now{};
wall_time read_manual_now() {
    return manual_now;
}

/// A logger that writes into memory, at 2026-11-23T10:00:00.123Z.
struct fixture {
    explicit fixture(log_format format = log_format::json, log_level level = log_level::debug)
        : log(capture.writer, {level, format, &read_manual_now}) {
        manual_now = wall_time(1'795'428'000'123ms);
    }
    /// All lines so far, those too that waited in the logger for room in the queue.
    std::vector<std::string> lines() {
        REQUIRE(capture.writer.flush(test::far_away()));
        log.flush();
        return capture.event_lines();
    }

    test::log_capture capture;
    logger log;
};

}  // namespace

TEST_SUITE("base/logger") {
    TEST_CASE("an event is one JSON object with time, level, message and its fields in order") {
        fixture f;
        f.log.info("listening", {{"address", "127.0.0.1"}, {"port", 8080}});
        f.log.log(log_level::warn, "odd values",
                  {{"negative", -5},
                   {"large", std::uint64_t{18446744073709551615u}},
                   {"ratio", 0.25},
                   {"open", true},
                   {"text", std::string("copied")}});
        f.log.error("bare");
        const std::vector<std::string> expected{
            R"({"ts":"2026-11-23T10:00:00.123Z","level":"info","msg":"listening","address":"127.0.0.1","port":8080})",
            R"({"ts":"2026-11-23T10:00:00.123Z","level":"warn","msg":"odd values","negative":-5,)"
            R"("large":18446744073709551615,"ratio":0.25,"open":true,"text":"copied"})",
            R"({"ts":"2026-11-23T10:00:00.123Z","level":"error","msg":"bare"})",
        };
        CHECK(f.lines() == expected);
    }

    TEST_CASE("a terminal gets a line for people") {
        fixture f(log_format::text);
        f.log.info("listening", {{"address", "127.0.0.1"}, {"port", 8080}});
        f.log.debug("said", {{"words", "two words"}, {"sure", false}});
        CHECK(f.lines() == std::vector<std::string>{"10:00:00.123 INFO  listening address=127.0.0.1 port=8080",
                                                    "10:00:00.123 DEBUG said words=\"two words\" sure=false"});
    }

    TEST_CASE("events below the level are not written") {
        fixture f(log_format::json, log_level::warn);
        f.log.debug("no");
        f.log.info("no");
        f.log.warn("yes");
        CHECK(f.lines().size() == 1);
        f.log.set_level(log_level::info);
        f.log.info("now");
        CHECK(f.lines().size() == 2);
        CHECK(f.log.enabled(log_level::info));
        CHECK_FALSE(f.log.enabled(log_level::debug));
    }

    TEST_CASE("no value can end a line or add a field") {
        for (const std::string& text : test::hostile_texts()) {
            fixture json;
            json.log.info("hostile", {{"value", text}});
            const auto lines = json.lines();
            REQUIRE(lines.size() == 1);
            boost::json::error_code failure;
            const auto line = boost::json::parse(lines[0], failure);
            REQUIRE_MESSAGE(!failure, lines[0]);
            CHECK(line.as_object().size() == 4);
            CHECK(line.at("msg").as_string() == "hostile");

            fixture people(log_format::text);
            people.log.info("hostile", {{"value", text}});
            const auto texts = people.lines();
            REQUIRE(texts.size() == 1);
            CHECK(texts[0].starts_with("10:00:00.123 INFO  hostile value="));
            for (const char c : texts[0]) {
                CHECK(static_cast<unsigned char>(c) >= 0x20);
                CHECK(c != 0x7F);
            }
        }
    }

    TEST_CASE("a valid text comes back from JSON as it was") {
        const std::string text =
            "Gr\xC3\xBC\xC3\x9F"
            "e \"\\/\n\r\t\x01\x1b\x7f \xE2\x80\xAE \xF0\x9F\x98\x80 \xF3\xA0\x81\x81";
        fixture f;
        f.log.info("round trip", {{"value", text}});
        const auto line = boost::json::parse(f.lines().at(0));
        CHECK(line.at("value").as_string() == text);
    }

    TEST_CASE("a value of a megabyte costs a kibibyte") {
        fixture f;
        f.log.info("long", {{"value", std::string(1'000'000, 'x')}});
        const auto line = boost::json::parse(f.lines().at(0));
        CHECK(line.at("value").as_string() == std::string(1024, 'x') + "\xE2\x80\xA6");
    }

    TEST_CASE("a message is written 100 times a second, then counted") {
        fixture f;
        const auto attack = [&f](int times) {
            for (int i = 0; i < times; ++i) {
                f.log.warn("bad request", {{"n", i}});
            }
        };
        attack(1000);
        f.log.info("something else");
        CHECK(f.lines().size() == 101);

        manual_now += 1s;
        auto lines = f.lines();
        REQUIRE(lines.size() == 102);
        CHECK(lines.back() == R"({"ts":"2026-11-23T10:00:01.123Z","level":"warn","msg":"lines left out",)"
                              R"("of":"bad request","count":900})");

        // The next second counts anew; what was left out is said before the first line of a later second as well.
        attack(105);
        manual_now += 1s;
        attack(1);
        lines = f.lines();
        REQUIRE(lines.size() == 102 + 100 + 2);
        CHECK(boost::json::parse(lines[202]).at("count").as_int64() == 5);
        CHECK(boost::json::parse(lines[203]).at("n").as_int64() == 0);
        manual_now += 1s;
        CHECK(f.lines().size() == lines.size());
    }

    TEST_CASE("while nobody reads, a logger keeps 64 KiB and counts the rest") {
        std::array<int, 2> pipe{-1, -1};
        REQUIRE(::pipe2(pipe.data(), O_CLOEXEC) == 0);
        const test::owned_fd read(pipe[0]);
        const test::owned_fd write(pipe[1]);
        manual_now = wall_time(1'795'428'000'123ms);
        log_writer writer({write.get(), -1, 4});
        constexpr std::uint64_t total = 5000;
        {
            logger log(writer, {log_level::info, log_format::json, &read_manual_now});
            for (std::uint64_t i = 0; i < total; ++i) {
                manual_now += 10ms;  // 100 a second: none is left out for being too many
                log.info("long", {{"text", std::string(900, 'x')}});
            }
        }
        CHECK(writer.dropped() > total / 2);
        CHECK(writer.stop(std::chrono::steady_clock::now()));
        std::uint64_t received = 0;
        std::array<char, 65536> part;
        REQUIRE(::fcntl(read.get(), F_SETFL, O_NONBLOCK) == 0);
        for (;;) {
            const auto size = ::read(read.get(), part.data(), part.size());
            if (size <= 0) {
                break;
            }
            received += static_cast<std::uint64_t>(std::count(part.begin(), part.begin() + size, '\n'));
        }
        CHECK(received + writer.dropped() == total);
    }

    TEST_CASE("names of the configuration have their meaning") {
        CHECK(log_level_of("debug") == log_level::debug);
        CHECK(log_level_of("info") == log_level::info);
        CHECK(log_level_of("warn") == log_level::warn);
        CHECK(log_level_of("error") == log_level::error);
        const test::owned_fd file = test::memory_file();
        const test::owned_fd terminal(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
        CHECK(log_format_of("auto", file.get()) == log_format::json);
        CHECK(log_format_of("auto", terminal.get()) == log_format::text);
        CHECK(log_format_of("text", file.get()) == log_format::text);
        CHECK(log_format_of("json", terminal.get()) == log_format::json);
    }
}
