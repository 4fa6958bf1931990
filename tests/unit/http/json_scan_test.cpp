#include "gateway/http/json_scan.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

using namespace concurred::http;

namespace {

std::string nested(std::size_t levels) {
    return std::string(levels, '[') + std::string(levels, ']');
}

}  // namespace

TEST_SUITE("http/json_scan") {
    TEST_CASE("the members of an object are reported as they are written") {
        const std::string text = R"( {"a" : 1 , "b\u0063":"x\n", "c":[{"d":null}], "e":{}, "f":true,"g":null} )";
        json_reader reader(text);
        std::vector<json_member> seen;
        while (const json_member* m = reader.next()) {
            seen.push_back(*m);
        }
        REQUIRE(reader.ok());
        CHECK(reader.position() == text.size() - 1);  // behind the bracket
        REQUIRE(seen.size() == 6);
        CHECK(seen[0].key == "a");
        CHECK(seen[0].value == "1");
        CHECK(seen[0].kind == json_kind::number);
        CHECK(text.substr(seen[0].begin, seen[0].end - seen[0].begin) == R"("a" : 1)");
        CHECK(seen[1].key == "b\\u0063");
        CHECK(seen[1].key_escaped);
        CHECK(seen[1].value == "\"x\\n\"");
        CHECK(seen[1].value_escaped);
        CHECK_FALSE(seen[2].key_escaped);
        CHECK(seen[2].value == R"([{"d":null}])");
        CHECK(seen[2].kind == json_kind::array);
        CHECK_FALSE(seen[2].value_escaped);
        CHECK(seen[3].kind == json_kind::object);
        CHECK(seen[4].kind == json_kind::boolean);
        CHECK(seen[5].kind == json_kind::null);
    }

    TEST_CASE("the elements of an array have no key") {
        json_reader reader(R"(["a",2])");
        const json_member* m = reader.next();
        REQUIRE(m != nullptr);
        CHECK(m->key.empty());
        CHECK(m->value == "\"a\"");
        m = reader.next();
        REQUIRE(m != nullptr);
        CHECK(m->value == "2");
        CHECK(m->begin == 5);
        CHECK(reader.next() == nullptr);
        CHECK(reader.next() == nullptr);
        CHECK(reader.ok());
    }

    TEST_CASE("empty objects and arrays have no members") {
        for (const char* text : {"{}", "[]", " { } ", "[\n]"}) {
            json_reader reader(text);
            CHECK(reader.next() == nullptr);
            CHECK(reader.ok());
        }
    }

    TEST_CASE("text behind the value can be ignored") {
        json_reader reader(R"({"a":{"b":1}},"finish_reason":null)", json_tail::ignored);
        CHECK(reader.next() != nullptr);
        CHECK(reader.next() == nullptr);
        CHECK(reader.ok());
        CHECK(reader.position() == 13);
    }

    TEST_CASE("valid JSON is accepted") {  // RFC 8259
        const std::vector<std::string> texts{
            "null",
            "true",
            "false",
            " 0 ",
            "-0",
            "-1.5e+10",
            "1E2",
            "1e-2",
            "0.5",
            "123456789012345678901234567890",
            "1e999999",
            "\"\"",
            "\"a\"",
            R"("\"\\\/\b\f\n\r\t")",
            R"("\u0000")",
            R"("\ud83d\ude00")",
            R"("\uD83D\uDE00")",
            "\"\x7f\"",
            "\"\xC2\x80\"",
            "\"\xE0\xA0\x80\"",
            "\"\xED\x9F\xBF\"",
            "\"\xEF\xBF\xBF\"",
            "\"\xF0\x90\x80\x80\"",
            "\"\xF4\x8F\xBF\xBF\"",
            "[]",
            "{}",
            "[1,2]",
            R"({"a":1,"a":2})",
            R"({"":{"":[]}})",
            "\t\r\n [ \t\r\n ] \t\r\n ",
            "[[],[[]],{}]",
            nested(64),
            "\"" + std::string(15, 'a') + "\xC3\xBC" + std::string(40, 'b') + "\"",
        };
        for (const std::string& text : texts) {
            INFO(text);
            CHECK_FALSE(check_json(text).has_value());
        }
    }

    TEST_CASE("anything else is refused, with the place and the reason") {
        struct row {
            std::string text;
            std::size_t offset;
            std::string reason;
        };
        const std::string end = "the text ends too early";
        const row rows[] = {
            {"", 0, end},
            {"  ", 2, end},
            {"\xEF\xBB\xBF{}", 0, "a byte order mark is not allowed"},
            {"[\xEF\xBB\xBF"
             "1]",
             1, "expected a value"},
            {"{} x", 3, "unexpected text behind the value"},
            {"{}{}", 2, "unexpected text behind the value"},
            {R"({"a":1,})", 7, "expected a name in double quotes"},
            {R"({'a':1})", 1, "expected a name in double quotes"},
            {R"({a:1})", 1, "expected a name in double quotes"},
            {R"({"a" 1})", 5, "expected ':'"},
            {R"({"a":1 "b":2})", 7, "expected ',' or '}'"},
            {R"({"a":[1}})", 7, "expected ',' or ']'"},
            {"[1,]", 3, "expected a value"},
            {"[,1]", 1, "expected a value"},
            {"[1 2]", 3, "expected ',' or ']'"},
            {"[1", 2, end},
            {"[", 1, end},
            {R"({"a")", 4, end},
            {R"({"a":)", 5, end},
            {"[1}", 2, "expected ',' or ']'"},
            {"\"a", 2, "the text ends inside a string"},
            {"\"a\\", 3, end},
            {"\"a\\\"", 4, "the text ends inside a string"},
            {"\"\n\"", 1, "a control character in a string"},
            {std::string("\"\0\"", 3), 1, "a control character in a string"},
            {R"("\x41")", 1, "unknown escape in a string"},
            {R"("\u12G4")", 1, "\\u needs four hexadecimal digits"},
            {R"("\u12)", 1, "\\u needs four hexadecimal digits"},
            {R"("\ud800")", 1, "an escape of half a surrogate pair"},
            {R"("\ud800\u0041")", 1, "an escape of half a surrogate pair"},
            {R"("\udc00")", 1, "an escape of half a surrogate pair"},
            {R"("\udc00\ud800")", 1, "an escape of half a surrogate pair"},
            {"\"\x80\"", 1, "a string is not valid UTF-8"},
            {"\"\xC0\x80\"", 1, "a string is not valid UTF-8"},
            {"\"\xC3\"", 1, "a string is not valid UTF-8"},
            {"\"\xE0\x80\x80\"", 1, "a string is not valid UTF-8"},
            {"\"\xED\xA0\x80\"", 1, "a string is not valid UTF-8"},
            {"\"\xE4\xBD\xA0\xE4\xBD\"", 4, "a string is not valid UTF-8"},
            {"\"\xF4\x90\x80\x80\"", 1, "a string is not valid UTF-8"},
            {"\"\xFF\"", 1, "a string is not valid UTF-8"},
            {"01", 0, "a number must not begin with 0"},
            {"-01", 0, "a number must not begin with 0"},
            {"1.", 2, "expected a digit"},
            {"1.e1", 2, "expected a digit"},
            {".5", 0, "expected a value"},
            {"+1", 0, "expected a value"},
            {"1e", 2, "expected a digit"},
            {"1e+", 3, "expected a digit"},
            {"-", 0, end},
            {"-a", 0, "expected a value"},
            {"0x10", 1, "unexpected text behind the value"},
            {"NaN", 0, "expected a value"},
            {"Infinity", 0, "expected a value"},
            {"nul", 0, "expected a value"},
            {"True", 0, "expected a value"},
            {"// x\n{}", 0, "expected a value"},
            {"[\"a\",\n// x\n1]", 6, "expected a value"},
            {"\f{}", 0, "expected a value"},
            {nested(65), 64, "nested too deeply"},
        };
        for (const row& r : rows) {
            INFO(r.text);
            const auto error = check_json(r.text);
            REQUIRE(error.has_value());
            CHECK(error->offset == r.offset);
            CHECK(error->reason == r.reason);
        }
    }

    TEST_CASE("the reader finds the same errors") {
        for (const char* text :
             {"", "1", "\"a\"", "{\"a\":1", "{\"a\":1,}", "[1,]", "{} x", "{\"a\":[1,]}", "\xEF\xBB\xBF{}"}) {
            INFO(text);
            json_reader reader(text);
            while (reader.next() != nullptr) {
            }
            CHECK_FALSE(reader.ok());
            CHECK(reader.next() == nullptr);
        }
    }

    TEST_CASE("the depth limit counts the outermost level") {
        CHECK_FALSE(check_json("[[1]]", 2).has_value());
        CHECK(check_json("[[[1]]]", 2).has_value());
        CHECK_FALSE(check_json("1", 1).has_value());
        json_reader shallow("[[1]]", json_tail::space, 1);
        CHECK(shallow.next() == nullptr);
        CHECK_FALSE(shallow.ok());
        const std::string mixed = "{\"a\":[{\"a\":[{\"a\":[]}]}]}";
        CHECK_FALSE(check_json(mixed, 6).has_value());
        CHECK(check_json(mixed, 5).has_value());
    }

    TEST_CASE("errors name line and column in characters") {
        const std::string text = "{\n  \"caf\xC3\xA9\": 1\n  \"b\": 2}";
        const auto error = check_json(text);
        REQUIRE(error.has_value());
        CHECK(describe(text, *error) == "line 3, column 3: expected ',' or '}'");
        CHECK(describe("\"\xC3\xA9\x01\"", json_error{3, "x"}) == "line 1, column 3: x");
    }

    TEST_CASE("hostile texts cost time in proportion to their size") {  // reliability L-05, L-06
        std::string keys = "{";
        for (int i = 0; i < 1'000'000; ++i) {
            keys += "\"k" + std::to_string(i) + "\":0,";
        }
        keys.back() = '}';
        std::string brackets;
        while (brackets.size() < 250'000) {
            brackets += "[{\"\":";
        }
        const auto begin = std::chrono::steady_clock::now();
        CHECK_FALSE(check_json(keys).has_value());
        CHECK(check_json(brackets)->reason == std::string("nested too deeply"));
        CHECK(check_json(std::string(100'000, '['))->offset == 64);
        CHECK_FALSE(check_json(std::string(1'000'000, '9')).has_value());
        // Far above what it takes on any machine, with sanitizers too, and far below what quadratic work would.
        CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
    }

    TEST_CASE("only a whole valid object is an object") {
        CHECK(is_json_object(" {\"a\":[]} "));
        for (const char* text : {"", " ", "[]", "1", "{", "{}}", "{\"a\"}"}) {
            CHECK_FALSE(is_json_object(text));
        }
    }
}
