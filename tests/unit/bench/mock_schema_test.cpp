#include "bench/mock_schema.hpp"

#include "bench/mock_anthropic_schema.hpp"
#include "bench/mock_check_words.hpp"
#include "bench/mock_gemini_schema.hpp"
#include "bench/mock_openai_schema.hpp"

#include <doctest/doctest.h>
#include <boost/json/parse.hpp>

#include <array>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

using concurred::bench::anthropic_words;
using concurred::bench::bracketed;
using concurred::bench::gemini_words;
using concurred::bench::mock_mismatch;
using concurred::bench::mock_schema;
using concurred::bench::openai_words;

namespace {

using kind = mock_mismatch::kind;

const mock_schema& schema() {
    static const mock_schema made(R"(
        Text = { type: "text", text: string(1..5) }
        Image = { type: "image", url: string }
        Part = Text | Image
        Message = { role: "user" | "model", parts: [Part](1..2), size?: number(0..1), count?: integer(1..) | null }
        Request = { messages: [Message], labels?: { *: string }, free?: { known: boolean, ... } }
    )");
    return made;
}

std::optional<mock_mismatch> check(std::string_view text) {
    return schema().check(boost::json::parse(std::string(text)), "Request");
}

/// `path kind`
std::string found(std::string_view text) {
    const auto wrong = check(text);
    if (!wrong) {
        return "fits";
    }
    constexpr std::array<std::string_view, 7> names{"unknown", "missing", "type", "value", "tag", "low", "high"};
    return bracketed(wrong->path) + " " + std::string(names[static_cast<std::size_t>(wrong->what)]);
}

}  // namespace

TEST_SUITE("bench/mock_schema") {
    TEST_CASE("what fits is let through") {
        CHECK(found(R"({"messages":[]})") == "fits");
        CHECK(found(R"({"messages":[{"role":"user","parts":[{"type":"text","text":"a"},{"type":"image","url":"b"}],
                        "size":1,"count":null}],"labels":{"x":"y"},"free":{"known":true,"more":[1]}})") == "fits");
    }

    TEST_CASE("what does not fit is named with its place") {
        CHECK(found(R"({})") == "messages missing");
        CHECK(found(R"([])") == " type");
        CHECK(found(R"({"messages":[],"more":1})") == "more unknown");
        CHECK(found(R"({"messages":[{"role":"king","parts":[]}]})") == "messages[0].role value");
        CHECK(found(R"({"messages":[{"role":"user","parts":[]}]})") == "messages[0].parts low");
        CHECK(found(R"({"messages":[{"role":"user","parts":[1]}]})") == "messages[0].parts[0] type");
        CHECK(found(R"({"messages":[{"role":"user","parts":[{"type":"text","text":"abcdef"}]}]})") ==
              "messages[0].parts[0].text high");
        CHECK(found(R"({"messages":[{"role":"user","parts":[{"type":"text","text":"a","x":1}]}]})") ==
              "messages[0].parts[0].x unknown");
        CHECK(found(R"({"messages":[{"role":"user","parts":[{"type":"sound"}]}]})") == "messages[0].parts[0].type tag");
        CHECK(found(R"({"messages":[{"role":"user","parts":[{"type":"text","text":"a"}],"size":1.5}]})") ==
              "messages[0].size high");
        CHECK(found(R"({"messages":[{"role":"user","parts":[{"type":"text","text":"a"}],"count":0}]})") ==
              "messages[0].count low");
        CHECK(found(R"({"messages":[{"role":"user","parts":[{"type":"text","text":"a"}],"count":1.5}]})") ==
              "messages[0].count type");
        CHECK(found(R"({"messages":[],"labels":{"x":1}})") == "labels.x type");
        CHECK(found(R"({"messages":[],"free":{}})") == "free.known missing");
    }

    TEST_CASE("a whole number may be written with a point") {
        CHECK(found(R"({"messages":[{"role":"user","parts":[{"type":"text","text":"a"}],"count":2.0}]})") == "fits");
    }

    TEST_CASE("a mistake in a schema is an exception") {
        CHECK_THROWS_AS(mock_schema("A = { b: C }"), std::logic_error);
        CHECK_THROWS_AS(mock_schema("A = { b c }"), std::logic_error);
        CHECK_THROWS_AS(mock_schema("A = string A = string"), std::logic_error);
    }

    TEST_CASE("the providers' schemas can be read") {
        using namespace concurred::bench;
        for (const auto* one :
             {&openai_chat_schema(), &xai_chat_schema(), &openrouter_chat_schema(), &minimax_chat_schema(),
              &openai_responses_schema(), &openai_embeddings_schema(), &anthropic_schema(), &gemini_schema()}) {
            CHECK(one->check(boost::json::parse("[]"), "Request"));
        }
    }

    TEST_CASE("each provider has its own words") {
        const auto unknown = check(R"({"messages":[{"role":"user","parts":[{"type":"text","text":"a","x":1}]}]})");
        REQUIRE(unknown);
        CHECK(openai_words(*unknown).message == "Unknown parameter: 'messages[0].parts[0].x'.");
        CHECK(openai_words(*unknown).code == "unknown_parameter");
        CHECK(openai_words(*unknown).param == "messages[0].parts[0].x");
        CHECK(anthropic_words(*unknown).message == "messages.0.parts.0.x: Extra inputs are not permitted");
        CHECK(gemini_words(*unknown).message ==
              "Invalid JSON payload received. Unknown name \"x\" at 'messages[0].parts[0]': Cannot find field.");
        const auto role = check(R"({"messages":[{"role":"king","parts":[]}]})");
        REQUIRE(role);
        CHECK(openai_words(*role).message == "Invalid value: 'king'. Supported values are: 'user' and 'model'.");
        CHECK(anthropic_words(*role).message == "messages.0.role: Input should be 'user' or 'model'");
        const auto missing = check("{}");
        REQUIRE(missing);
        CHECK(openai_words(*missing).message == "Missing required parameter: 'messages'.");
        CHECK(anthropic_words(*missing).message == "messages: Field required");
        const auto type = check(R"({"messages":{}})");
        REQUIRE(type);
        CHECK(openai_words(*type).message ==
              "Invalid type for 'messages': expected an array, but got an object instead.");
        CHECK(anthropic_words(*type).message == "messages: Input should be a valid list");
    }
}
