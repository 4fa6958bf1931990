#include "upstream/google_schema.hpp"

#include <doctest/doctest.h>
#include <boost/json.hpp>

#include <string>

using namespace concurred;
namespace json = boost::json;

namespace {

void check(std::string_view schema, std::string_view expected) {
    INFO(schema);
    const auto got = upstream::to_gemini_schema(schema);
    REQUIRE(got.has_value());
    const bool same = json::parse(*got) == json::parse(json::string_view(expected.data(), expected.size()));
    CHECK_MESSAGE(same, *got << "\n  expected\n" << expected);
}

}  // namespace

TEST_SUITE("upstream/google_schema") {
    TEST_CASE("keywords that Gemini does not know are rewritten or left out") {
        check(
            R"({"$schema":"s","type":"object","additionalProperties":false,"strict":true,"properties":{)"
            R"("a":{"type":"string","format":"email","minLength":1,"contentEncoding":"x"}},"required":["a","b","a"]})",
            R"({"type":"object","properties":{"a":{"type":"string","minLength":1}},"required":["a"]})");
        check(R"({"type":["string","null"],"enum":["a",null]})", R"({"type":"string","nullable":true,"enum":["a"]})");
        check(R"({"type":["string","integer"],"minLength":2,"minimum":1})",
              R"({"anyOf":[{"type":"string","minLength":2},{"type":"integer","minimum":1}]})");
        check(R"({"const":"x"})", R"({"type":"string","enum":["x"]})");
        check(R"({"type":"integer","enum":[1,2],"description":"How many."})",
              R"({"type":"integer","description":"How many. One of: 1, 2."})");
        check(R"({"oneOf":[{"type":"string"},{"type":"number"}],"default":1,"description":"d"})",
              R"({"anyOf":[{"type":"string"},{"type":"number"}],"description":"d"})");
        check(R"({"anyOf":[{"type":"string","maxLength":3},{"type":"null"}],"description":"d"})",
              R"({"type":"string","maxLength":3,"nullable":true,"description":"d"})");
        check(R"({"type":"array"})", R"({"type":"array","items":{"type":"string"}})");
        check(R"({"type":"array","prefixItems":[{"type":"string"},{"type":"integer"}]})",
              R"({"type":"array","items":{"anyOf":[{"type":"string"},{"type":"integer"}]}})");
        check(R"({"type":"integer","exclusiveMinimum":0,"exclusiveMaximum":10})",
              R"({"type":"integer","minimum":1,"maximum":9})");
        check(R"({"type":"string","format":"date-time"})", R"({"type":"string","format":"date-time"})");
        check(R"({"type":"number","format":"double","default":1.5})",
              R"({"type":"number","format":"double","default":1.5})");
        check(R"({"items":true})", R"({"type":"array","items":{}})");
    }

    TEST_CASE("references are replaced and allOf is merged") {
        check(R"({"type":"object","properties":{"p":{"$ref":"#/$defs/point","description":"where"}},"$defs":{"point":)"
              R"({"type":"object","description":"a point","properties":{"x":{"$ref":"#/definitions/a~1b"}}}},)"
              R"("definitions":{"a/b":{"type":"number"}}})",
              R"({"type":"object","properties":{"p":{"type":"object","description":"where","properties":)"
              R"({"x":{"type":"number"}}}}})");
        check(R"({"allOf":[{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]},)"
              R"({"properties":{"b":{"type":"integer"}},"required":["b"]}]})",
              R"({"type":"object","properties":{"a":{"type":"string"},"b":{"type":"integer"}},"required":["a","b"]})");
        check(R"({"type":"object","properties":{"a":{"$ref":"#/$defs/t"},"b":{"$ref":"#/$defs/t"}},)"
              R"("$defs":{"t":{"type":"string"}}})",
              R"({"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}}})");
    }

    TEST_CASE("a schema that refers to itself or elsewhere cannot be written") {
        CHECK(!upstream::to_gemini_schema(R"({"type":"object","properties":{"next":{"$ref":"#"}}})"));
        CHECK(!upstream::to_gemini_schema(
            R"({"$ref":"#/$defs/n","$defs":{"n":{"type":"array","items":{"$ref":"#/$defs/n"}}}})"));
        CHECK(!upstream::to_gemini_schema(R"({"$ref":"https://example.com/s"})"));
        CHECK(!upstream::to_gemini_schema(R"({"$ref":"#/$defs/none"})"));
    }

    TEST_CASE("references that multiply stop at a bound") {
        std::string defs;
        for (int i = 1; i < 30; ++i) {
            const std::string below = R"({"$ref":"#/$defs/d)" + std::to_string(i - 1) + "\"}";
            defs += R"(,"d)" + std::to_string(i) + R"(":{"type":"object","properties":{"a":)" + below + R"(,"b":)" +
                    below + "}}";
        }
        CHECK(!upstream::to_gemini_schema(R"({"$ref":"#/$defs/d29","$defs":{"d0":{"type":"string"})" + defs + "}}"));
    }

    TEST_CASE("an object without properties is recognised") {
        CHECK(upstream::has_no_properties(R"({"type":"object"})"));
        CHECK(upstream::has_no_properties(R"({"type":"object","properties":{}})"));
        CHECK(!upstream::has_no_properties(R"({"type":"object","properties":{"a":{}}})"));
        CHECK(!upstream::has_no_properties(R"({"$ref":"#/$defs/a"})"));
    }
}
