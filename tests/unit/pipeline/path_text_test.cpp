#include "gateway/pipeline/path_text.hpp"

#include <doctest/doctest.h>

#include <string>

using concurred::pipeline::unescaped_path_text;

TEST_SUITE("pipeline/path_text") {
    TEST_CASE("escapes become the octets they stand for") {
        struct row {
            const char* escaped;
            std::string text;
        };
        const row rows[] = {
            {"", ""},
            {"gpt-5.2", "gpt-5.2"},
            {"deepseek/deepseek-v3.2", "deepseek/deepseek-v3.2"},
            {"deepseek%2Fdeepseek-v3.2", "deepseek/deepseek-v3.2"},
            {"deepseek%2fdeepseek-v3.2", "deepseek/deepseek-v3.2"},
            {"%41%3A%40", "A:@"},
            {"K%C3%B6ln", "K\xC3\xB6ln"},
            {"a%00b", std::string("a\0b", 3)},
            {"a+b", "a+b"},
        };
        for (const row& r : rows) {
            CAPTURE(r.escaped);
            CHECK(unescaped_path_text(r.escaped) == r.text);
        }
    }

    TEST_CASE("an escape is undone once") {
        CHECK(unescaped_path_text("%252F") == "%2F");
    }

    TEST_CASE("what is no escape stays as it is") {
        for (const char* text : {"%", "a%", "%2", "%zz", "%-1", "%+1", "% 1", "%%2"}) {
            CAPTURE(text);
            CHECK(unescaped_path_text(text) == text);
        }
    }
}
