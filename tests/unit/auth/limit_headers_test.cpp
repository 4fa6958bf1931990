#include "auth/limit_headers.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>

using namespace concurred;
using namespace concurred::auth;
using namespace std::chrono_literals;

namespace {

constexpr base::wall_time now{1'706'540'000s};

std::string value_of(const limit_header_text& lines, const std::string& name) {
    const std::string text(lines.view());
    const std::size_t at = text.find(name + ": ");
    if (at == std::string::npos || (at != 0 && text[at - 1] != '\n')) {
        return "(absent)";
    }
    const std::size_t start = at + name.size() + 2;
    return text.substr(start, text.find("\r\n", start) - start);
}

}  // namespace

TEST_SUITE("auth/limit_headers") {
    TEST_CASE("an answer that was let through says what is left") {
        const limit_decision decision{.allowed = true, .limit = 60, .remaining = 59, .until_full = 1s};
        CHECK(limit_headers(decision, now).view() ==
              "X-RateLimit-Limit: 60\r\n"
              "X-RateLimit-Remaining: 59\r\n"
              "X-RateLimit-Reset: 1706540001\r\n"
              "x-ratelimit-limit-requests: 60\r\n"
              "x-ratelimit-remaining-requests: 59\r\n"
              "x-ratelimit-reset-requests: 1s\r\n");
    }

    TEST_CASE("a denial says when to come back as well") {
        const limit_decision decision{
            .allowed = false, .limit = 60, .remaining = 0, .retry_after = 1'200'001us, .until_full = 60s};
        const limit_header_text lines = limit_headers(decision, now);
        CHECK(value_of(lines, "X-RateLimit-Remaining") == "0");
        CHECK(value_of(lines, "X-RateLimit-Reset") == "1706540060");
        CHECK(value_of(lines, "x-ratelimit-reset-requests") == "1m0s");
        CHECK(value_of(lines, "Retry-After") == "2");
        CHECK(value_of(lines, "retry-after-ms") == "1201");
    }

    TEST_CASE("times are rounded up and a denial never says 0") {
        limit_decision decision{
            .allowed = false, .limit = 1'000'000, .remaining = 0, .retry_after = 60us, .until_full = 1us};
        const limit_header_text lines = limit_headers(decision, now + 1ns);
        CHECK(value_of(lines, "X-RateLimit-Reset") == "1706540001");
        CHECK(value_of(lines, "x-ratelimit-reset-requests") == "1ms");
        CHECK(value_of(lines, "Retry-After") == "1");
        CHECK(value_of(lines, "retry-after-ms") == "1");
    }

    TEST_CASE("durations are written as Go writes them") {
        struct row {
            microseconds until_full;
            const char* text;
        };
        for (const row& r :
             {row{0us, "0s"}, row{1us, "1ms"}, row{12ms, "12ms"}, row{11'001us, "12ms"}, row{999ms, "999ms"},
              row{1s, "1s"}, row{1'500ms, "1.5s"}, row{8'640ms, "8.64s"}, row{1'001ms, "1.001s"}, row{1'010ms, "1.01s"},
              row{59'999ms, "59.999s"}, row{60s, "1m0s"}, row{90s, "1m30s"}, row{6min, "6m0s"},
              row{61'250ms, "1m1.25s"}, row{1h, "1h0m0s"}, row{1h + 1ms, "1h0m0.001s"}, row{25h + 61s, "25h1m1s"}}) {
            CAPTURE(r.text);
            const limit_decision decision{.allowed = true, .limit = 1, .remaining = 0, .until_full = r.until_full};
            CHECK(value_of(limit_headers(decision, now), "x-ratelimit-reset-requests") == r.text);
        }
    }

    TEST_CASE("the largest numbers fit") {
        constexpr auto most = std::numeric_limits<std::uint32_t>::max();
        const limit_decision decision{.allowed = false,
                                      .limit = most,
                                      .remaining = most,
                                      .retry_after = microseconds{std::int64_t{1} << 60},
                                      .until_full = microseconds{std::int64_t{1} << 60}};
        const limit_header_text lines = limit_headers(decision, now);
        CHECK_FALSE(lines.overflowed());
        CHECK(value_of(lines, "x-ratelimit-limit-requests") == "4294967295");
        CHECK(value_of(lines, "x-ratelimit-reset-requests") == "320255973h30m6.847s");
        CHECK(value_of(lines, "retry-after-ms") == "1152921504606847");
    }

    TEST_CASE("the error of a denial is a 429 that carries the wait") {
        const limit_decision decision{
            .allowed = false, .limit = 60, .remaining = 0, .retry_after = 2'500'001us, .until_full = 60s};
        const base::error error = limit_error(decision);
        CHECK(error.code == base::errc::rate_limit_exceeded);
        CHECK(base::status_of(error) == 429);
        CHECK(error.details == R"({"retryAfter":3,"retryAfterMs":2501,"limit":60,"remaining":0})");
        CHECK(error.retry_after == 2501ms);
        CHECK(error.message == "Too many requests: the limit is 60. Try again in 3 s.");
    }

    TEST_CASE("a cost that can never pass is not worth a retry, and nothing suggests one") {
        const limit_decision decision{
            .allowed = false, .limit = 60, .remaining = 60, .retry_after = limit_decision::never, .until_full = 0us};
        const base::error error = limit_error(decision);
        CHECK(base::status_of(error) == 400);
        CHECK(error.retry_after == 0ms);
        CHECK(value_of(limit_headers(decision, now), "Retry-After") == "(absent)");
        CHECK(value_of(limit_headers(decision, now), "retry-after-ms") == "(absent)");
    }
}
