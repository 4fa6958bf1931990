#include "gateway/http/json_string.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace concurred::http;

TEST_SUITE("http/json_string") {
    struct spelling {
        std::string_view raw;
        std::string_view text;
    };
    constexpr spelling spellings[] = {
        {R"("")", ""},
        {R"("plain")", "plain"},
        {R"("\"\\\/\b\f\n\r\t")", "\"\\/\b\f\n\r\t"},
        {R"("mod\u0065l")", "model"},
        {R"("\u00e9\u20AC")", "\xC3\xA9\xE2\x82\xAC"},
        {R"("\ud83d\ude00!")", "\xF0\x9F\x98\x80!"},
        {R"("\u0000")", std::string_view("\0", 1)},
        {"\"\xC3\xA9\"", "\xC3\xA9"},
    };

    TEST_CASE("strings are decoded") {
        for (const spelling& s : spellings) {
            INFO(s.raw);
            const auto text = json_unquote(s.raw);
            REQUIRE(text.has_value());
            CHECK(*text == s.text);
            CHECK(json_string_equals(s.raw, s.text));
            CHECK(json_unescaped_size(s.raw.substr(1, s.raw.size() - 2)) == s.text.size());
            CHECK_FALSE(json_string_equals(s.raw, std::string(s.text) + "x"));
            CHECK_FALSE(json_string_equals(s.raw, "x" + std::string(s.text)));
        }
    }

    TEST_CASE("what is no string is not decoded") {
        for (const char* raw : {"", "\"", "1", "null", "\"a", "a\"", R"("\x")", R"("\u12")", R"("\ud800")",
                                R"("\udc00")", R"("\ud800\u0041")", "\"\\\""}) {
            INFO(raw);
            CHECK_FALSE(json_unquote(raw).has_value());
            CHECK_FALSE(json_string_equals(raw, "a"));
        }
        CHECK(json_unescaped_size(R"(a\xb)") == 4);
    }

    TEST_CASE("text is written as a JSON string, whatever bytes it has") {
        struct row {
            std::string_view text;
            std::string_view json;
        };
        const row rows[] = {
            {"", "\"\""},
            {"0123456789abcdef, plain and long enough", "\"0123456789abcdef, plain and long enough\""},
            {"\"\\\n\t\x01/", "\"\\\"\\\\\\n\\u0009\\u0001/\""},
            {"\xC3\xBC \xE2\x82\xAC \xF0\x9F\x99\x82", "\"\xC3\xBC \xE2\x82\xAC \xF0\x9F\x99\x82\""},
            {"\xFF", "\"\xEF\xBF\xBD\""},
            {"a\xC3", "\"a\xEF\xBF\xBD\""},
            {"\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
        };
        for (const row& r : rows) {
            std::string out;
            append_json_string(out, r.text);
            CHECK(out == r.json);
        }
    }

    TEST_CASE("plain text needs no escapes") {
        CHECK(is_plain_json_text("gpt-5.2"));
        CHECK(is_plain_json_text(""));
        for (const char* text : {"a\"b", "a\\b", "a\nb", "\xC3\xA9"}) {
            CHECK_FALSE(is_plain_json_text(text));
        }
    }
}
