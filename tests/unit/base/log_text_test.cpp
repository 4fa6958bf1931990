#include "gateway/base/log_text.hpp"

#include "tests/unit/base/log_capture.hpp"

#include <doctest/doctest.h>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <limits>

using namespace concurred::base;
using namespace std::chrono_literals;

namespace {

std::string quoted(std::string_view text, std::size_t limit = max_log_value) {
    std::string out;
    append_log_string(out, text, limit);
    return out;
}

std::string word(std::string_view text) {
    std::string out;
    append_log_word(out, text);
    return out;
}

wall_time at_unix_ms(std::int64_t ms) {
    return wall_time(std::chrono::milliseconds(ms));
}

}  // namespace

TEST_SUITE("base/log_text") {
    TEST_CASE("a plain text is copied between quotes") {
        CHECK(quoted("") == "\"\"");
        CHECK(quoted("/api/v1/chat/completions") == "\"/api/v1/chat/completions\"");
        CHECK(quoted(" ~!#[]{}") == "\" ~!#[]{}\"");
    }

    TEST_CASE("special characters are escaped wherever they stand") {
        for (std::size_t before = 0; before < 20; ++before) {
            const std::string lead(before, 'a');
            CHECK(quoted(lead + "\"b") == "\"" + lead + "\\\"b\"");
            CHECK(quoted(lead + "\\") == "\"" + lead + "\\\\\"");
            CHECK(quoted(lead + "\n") == "\"" + lead + "\\n\"");
            CHECK(quoted(lead + "\x1f") == "\"" + lead + "\\u001f\"");
            CHECK(quoted(lead + "\x7f!") == "\"" + lead + "\\u007f!\"");
            CHECK(quoted(lead + "\xC3\xBC") == "\"" + lead + "\xC3\xBC\"");
        }
    }

    TEST_CASE("what steers a terminal or hides text is written as an escape") {
        struct row {
            const char* text;
            const char* json;
        };
        const row rows[] = {
            {"\r\t", R"("\r\t")"},
            {"\x1b[0m", R"("\u001b[0m")"},
            {"\xC2\x9B", R"("\u009b")"},
            {"\xC2\xA0", "\"\xC2\xA0\""},
            {"\xD8\x9C", R"("\u061c")"},
            {"\xE2\x80\x8F", R"("\u200f")"},
            {"\xE2\x80\x90", "\"\xE2\x80\x90\""},
            {"\xE2\x80\xA8", R"("\u2028")"},
            {"\xE2\x80\xAE", R"("\u202e")"},
            {"\xE2\x81\xA9", R"("\u2069")"},
            {"\xEF\xBB\xBF", R"("\ufeff")"},
            {"\xF3\xA0\x81\x81", R"("\udb40\udc41")"},
            {"\xF0\x9F\x98\x80", "\"\xF0\x9F\x98\x80\""},
        };
        for (const row& each : rows) {
            CHECK(quoted(each.text) == each.json);
        }
    }

    TEST_CASE("bytes that are no UTF-8 become U+FFFD, one for each") {
        CHECK(quoted("a\xFF\xFE"
                     "b") ==
              "\"a\xEF\xBF\xBD\xEF\xBF\xBD"
              "b\"");
        CHECK(quoted("\xE2\x82") == "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
    }

    TEST_CASE("any hostile text reads back as one JSON string without a control character") {
        for (const std::string& text : test::hostile_texts()) {
            const std::string json = quoted(text);
            boost::json::error_code failure;
            const auto value = boost::json::parse(json, failure);
            CHECK_MESSAGE(!failure, json);
            CHECK(value.is_string());
            for (const char c : json) {
                CHECK(static_cast<unsigned char>(c) >= 0x20);
            }
        }
    }

    TEST_CASE("a long text is cut between characters and says so") {
        CHECK(quoted("abcdef", 6) == "\"abcdef\"");
        CHECK(quoted("abcdefg", 6) == "\"abcdef\xE2\x80\xA6\"");
        CHECK(quoted("abc\xE2\x82\xAC"
                     "d",
                     5) == "\"abc\xE2\x80\xA6\"");
        CHECK(quoted(std::string(5000, 'x')).size() == 1024 + 3 + 2);
    }

    TEST_CASE("a word needs no quotes, anything else gets them") {
        CHECK(word("gpt-6") == "gpt-6");
        CHECK(word("a b") == "\"a b\"");
        CHECK(word("") == "\"\"");
        CHECK(word("a=b") == "\"a=b\"");
        CHECK(word("a\nb") == "\"a\\nb\"");
        CHECK(word("\"") == "\"\\\"\"");
        for (std::size_t before = 0; before < 20; ++before) {
            const std::string lead(before, 'a');
            CHECK(word(lead + "b") == lead + "b");
            CHECK(word(lead + " b") == "\"" + lead + " b\"");
            CHECK(word(lead + "b=") == "\"" + lead + "b=\"");
        }
    }

    TEST_CASE("numbers are written exactly") {
        std::string out;
        append_nanos(out, 12345);
        append_nanos(out += ' ', 0);
        append_nanos(out += ' ', 1'000'000'000);
        append_nanos(out += ' ', 1'500'000'000);
        append_nanos(out += ' ', 1);
        append_nanos(out += ' ', 100'000'000);
        append_nanos(out += ' ', -2'250'000'000);
        append_nanos(out += ' ', std::numeric_limits<std::int64_t>::max());
        append_nanos(out += ' ', std::numeric_limits<std::int64_t>::min());
        CHECK(out == "0.000012345 0 1 1.5 0.000000001 0.1 -2.25 9223372036.854775807 -9223372036.854775808");
        out.clear();
        append_millis(out, 812305us);
        append_millis(out += ' ', 7us);
        append_millis(out += ' ', 0us);
        append_millis(out += ' ', 600s);
        append_millis(out += ' ', -5us);
        CHECK(out == "812.305 0.007 0.000 600000.000 0.000");
        out.clear();
        append_integer(out, std::numeric_limits<std::int64_t>::min());
        append_integer(out += ' ', std::numeric_limits<std::uint64_t>::max());
        append_double(out += ' ', 0.1);
        append_double(out += ' ', std::numeric_limits<double>::quiet_NaN());
        append_double(out += ' ', -std::numeric_limits<double>::infinity());
        CHECK(out == "-9223372036854775808 18446744073709551615 0.1 null null");
    }

    TEST_CASE("times are UTC with milliseconds") {
        struct row {
            std::int64_t unix_ms;
            const char* text;
        };
        const row rows[] = {
            {0, "1970-01-01T00:00:00.000Z"},
            {1'795'428'000'123, "2026-11-23T10:00:00.123Z"},
            {1'795'428'000'999, "2026-11-23T10:00:00.999Z"},
            {1'795'428'001'000, "2026-11-23T10:00:01.000Z"},
            {951'782'400'000, "2000-02-29T00:00:00.000Z"},
            {-1, "1969-12-31T23:59:59.999Z"},
            {1'795'428'000'123, "2026-11-23T10:00:00.123Z"},
        };
        log_timestamp timestamp;
        for (const row& each : rows) {
            std::string full;
            timestamp.append(full, at_unix_ms(each.unix_ms));
            CHECK(full == each.text);
            std::string time_of_day;
            timestamp.append_time_of_day(time_of_day, at_unix_ms(each.unix_ms));
            CHECK(time_of_day == full.substr(11, 12));
        }
    }
}
