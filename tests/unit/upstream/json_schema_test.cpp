#include "upstream/json_schema.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace concurred;
using upstream::schema_fault;
using upstream::schema_violation;

TEST_SUITE("upstream/json_schema") {
    TEST_CASE("a value is held against its schema") {
        struct row {
            const char* schema;
            const char* fits;
            const char* fails;
            const char* why;  // part of what is said of the one that fails
        };
        const row rows[] = {
            {R"({"type":"string"})", R"("a")", "1", "of type string"},
            {R"({"type":"integer"})", "1.0", "1.5", "of type integer"},
            {R"({"type":["string","null"]})", "null", "1", "one of the types"},
            {R"({"enum":["a",2,null,[1, 2]]})", "[1,2]", R"("b")", "one of"},
            {R"({"const":{"a":1}})", R"({"a": 1})", R"({"a":2})", "must be {\"a\":1}"},
            {R"({"properties":{"a":{"type":"string"}},"required":["a"]})", R"({"a":"x","b":1})", "{}",
             "/a is required"},
            {R"({"properties":{"a":{"type":"string"}}})", R"({"a":"x"})", R"({"\u0061":1})", "/a must be"},
            {R"({"properties":{"a":{}},"additionalProperties":false})", R"({"a":1})", R"({"b":1})",
             "/b is not allowed"},
            {R"({"additionalProperties":{"type":"number"}})", R"({"b":1})", R"({"b":""})", "/b must be of type number"},
            {R"({"items":{"type":"number"},"minItems":1})", "[1]", R"([1,"x"])", "/1 must be of type number"},
            {R"({"minItems":2})", "[1,2]", "[1]", "too few elements"},
            {R"({"prefixItems":[{"type":"string"}],"items":false})", R"(["a"])", R"(["a",1])", "/1 is not allowed"},
            {R"({"minimum":1,"exclusiveMaximum":3})", "1", "3", "too large"},
            {R"({"exclusiveMinimum":1})", "1.01", "1", "too small"},
            {R"({"maxLength":2})", R"("\u00e9\ud83d\ude00")", R"("abc")", "too many characters"},
            {R"({"anyOf":[{"type":"string"},{"minimum":5}]})", "6", "4", "anyOf"},
            {R"({"oneOf":[{"type":"number"},{"type":"integer"}]})", "1.5", "1", "oneOf"},
            {R"({"allOf":[{"minimum":1},{"maximum":2}]})", "2", "3", "too large"},
            {R"({"not":{"type":"string"}})", "1", R"("a")", "must not"},
            {R"({"$ref":"#/$defs/n","$defs":{"n":{"type":"object","properties":{"next":{"$ref":"#/$defs/n"}},)"
             R"("required":["v"]}}})",
             R"({"v":1,"next":{"v":2}})", R"({"v":1,"next":{}})", "/next/v is required"},
        };
        for (const row& r : rows) {
            INFO(r.schema);
            CHECK(!schema_violation(r.schema, r.fits));
            const auto wrong = schema_violation(r.schema, r.fails);
            REQUIRE(wrong);
            CHECK_MESSAGE(wrong->find(r.why) != std::string::npos, *wrong);
        }
    }

    TEST_CASE("a schema that refers to itself without end, or to itself twice, comes to an end") {
        CHECK(schema_violation(R"({"$ref":"#"})", "1"));
        (void)schema_violation(R"({"anyOf":[{"$ref":"#"},{"$ref":"#"}]})", "1");
    }

    TEST_CASE("a schema that is none is told") {
        CHECK(!schema_fault(R"({"type":"object","properties":{"a":{"type":["string","null"]},"b":true}})"));
        struct row {
            const char* schema;
            const char* fault;
        };
        const row rows[] = {
            {R"({"properties":[]})", "properties must be an object"},
            {R"({"required":"a"})", "required must be an array"},
            {R"({"type":"text"})", "type is no type of JSON"},
            {R"({"properties":{"a":1}})", "properties must be a schema: an object, true or false"},
            {R"({"items":{"enum":1}})", "items.enum must be an array"},
            {R"({"anyOf":{}})", "anyOf must be an array"},
            {R"({"anyOf":[{"type":"no"}]})", "anyOf.type is no type of JSON"},
        };
        for (const row& r : rows) {
            CHECK(schema_fault(r.schema) == r.fault);
        }
    }
}
