#include "gateway/base/json_text.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace concurred::base;

TEST_SUITE("base/json_text") {
    TEST_CASE("text is written as a JSON string, whatever bytes it has") {
        struct row {
            std::string_view text;
            std::string_view json;
        };
        const row rows[] = {
            {"", "\"\""},
            {"plain", "\"plain\""},
            {"\"\\\n\t\x01\x7f", "\"\\\"\\\\\\n\\u0009\\u0001\\u007f\""},
            {"\xC3\xBC \xE2\x82\xAC \xF0\x9F\x99\x82", "\"\xC3\xBC \xE2\x82\xAC \xF0\x9F\x99\x82\""},
            {"\xFF", "\"\xEF\xBF\xBD\""},
            {"a\xC3", "\"a\xEF\xBF\xBD\""},                                                // cut short
            {"\xC0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},                                  // overlong
            {"\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},                  // surrogate
            {"\xF4\x90\x80\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},  // above U+10FFFF
        };
        for (const row& r : rows) {
            std::string out;
            append_json_text(out, r.text);
            CHECK(out == r.json);
        }
    }

    TEST_CASE("cutting keeps whole characters") {
        CHECK(cut_text("abc", 3) == "abc");
        CHECK(cut_text("abcd", 3) == "abc");
        CHECK(cut_text("ab\xC3\xBC", 3) == "ab");
        CHECK(cut_text("a\xF0\x9F\x99\x82z", 4) == "a");
        CHECK(cut_text("a\xF0\x9F\x99\x82z", 5) == "a\xF0\x9F\x99\x82");
        CHECK(cut_text("\x80\x80\x80\x80\x80\x80", 4).size() <= 4);
        CHECK(cut_text("abc", 0) == "");
    }
}
