#include "upstream/token_pattern.hpp"

#include "tests/support/translation.hpp"
#include "upstream/dialect.hpp"

#include <doctest/doctest.h>
#include <boost/json.hpp>

#include <string>

using namespace concurred;
namespace json = boost::json;

namespace {

std::string content_of(std::string_view stream) {
    std::string text;
    for (const json::value& e : test::events_of(stream)) {
        if (e.is_object() && !e.at("choices").as_array().empty()) {
            const json::object& delta = e.at("choices").at(0).at("delta").as_object();
            if (const json::value* const piece = delta.if_contains("content")) {
                text += piece->as_string().c_str();
            }
        }
    }
    return text;
}

std::string google(std::string_view text, std::string_view usage, std::string_view rest = "") {
    return R"(data: {"candidates":[{"content":{"parts":[{"text":")" + std::string(text) +
           R"("}],"role":"model"},"index":0)" + std::string(rest) + R"(}],"usageMetadata":{)" + std::string(usage) +
           R"(},"responseId":"r"})" + "\r\n\r\n";
}

}  // namespace

TEST_SUITE("upstream/token_pattern") {
    TEST_CASE("an event of the shape is recognised, and no other") {
        const std::string event = R"({"a":"hello","u":{"n":1},"z":2})";
        const std::string out = "<hello>";
        upstream::token_pattern p;
        upstream::token_pattern::found f;
        CHECK(!p.match(event, f));
        p.learn(event, std::string_view(event).substr(6, 5), std::string_view(event).substr(17, 7), out,
                std::string_view(out).substr(1, 5));
        REQUIRE(p.match(R"({"a":"\u00e9 \"x","u":{"n":{"m":"}"}},"z":2})", f));
        CHECK(f.text == R"(\u00e9 \"x)");
        CHECK(f.hole == R"({"n":{"m":"}"}})");
        std::string made;
        p.append(made, f.text);
        CHECK(made == R"(<\u00e9 \"x>)");
        for (const char* const other : {R"({"a":"x","u":{"n":1},"z":3})", R"({"a":"x","u":{"n":1},"y":1,"z":2})",
                                        R"({"a":"x","v":{"n":1},"z":2})", R"({"a":"x","u":[1],"z":2})",
                                        R"({"a":"x","u":{"n":1},"z":2)", R"({"a":"x)",
                                        R"({"a":"x)"
                                        "\n"
                                        R"(","u":{},"z":2})",
                                        R"({"b":"x","u":{"n":1},"z":2})", ""}) {
            CHECK(!p.match(other, f));
        }
        p.forget();
        CHECK(!p.match(event, f));
    }

    TEST_CASE("Gemini's events of one shape keep their texts and their last figures") {
        const auto make = [] {
            return upstream::google_dialect().answer(
                "{}", {.upstream_model = "m", .answer_model = "m", .stream = true, .include_usage = true});
        };
        const std::string stream =
            google("a", R"("promptTokenCount":5,"cachedContentTokenCount":2,"candidatesTokenCount":1)") +
            google("b", R"("promptTokenCount":5,"cachedContentTokenCount":2,"candidatesTokenCount":2)") +
            google(R"(c\n\"\u00e9)", R"("promptTokenCount":5,"cachedContentTokenCount":3,"candidatesTokenCount":3)") +
            google("", R"("promptTokenCount":5,"candidatesTokenCount":4)") +
            google("ü", R"("candidatesTokenCount":5)") +
            google("d", R"("candidatesTokenCount":6)", R"(,"finishReason":"STOP")");
        const auto t = make();
        const auto got = test::translate_stream(*t, stream);
        CHECK(content_of(got.text) == "abc\n\"\u00e9üd");
        CHECK(got.done);
        REQUIRE(got.usage);
        CHECK(got.usage->prompt == 2);
        CHECK(got.usage->cache_read == 3);
        CHECK(got.usage->completion == 6);
        CHECK(got.octets == 10);
        test::check_cuts(make, stream);

        const auto stopped = make();  // somebody asks in the middle
        std::string out;
        const std::size_t third = stream.find("data: ", stream.find("\"b\"") + 1);
        stopped->feed(std::string_view(stream).substr(0, third), out);
        CHECK(stopped->usage()->completion == 2);
    }

    TEST_CASE("the family's events of one shape keep their texts, and end where they end") {
        const auto chunk = [](std::string_view delta, std::string_view rest = "") {
            return R"(data: {"id":"a","created":7,"model":"m","choices":[{"index":0,"delta":{)" + std::string(delta) +
                   "}" + std::string(rest) + "}]}\n\n";
        };
        std::string stream = chunk(R"("role":"assistant","content":"")");
        for (const char* const text : {"a", "b", "", R"(\"\\)", "日本", "}]}", "c"}) {
            stream += chunk(R"("content":")" + std::string(text) + "\"");
        }
        stream += chunk(R"("content":"d")", R"(,"finish_reason":"stop")") + chunk(R"("content":"too late")") +
                  "data: [DONE]\n\n";
        for (const upstream::dialect* const d :
             {&upstream::x_ai_dialect(), &upstream::openrouter_dialect(), &upstream::minimax_dialect()}) {
            const auto make = [d] {
                return d->answer("{}", {.upstream_model = "m", .answer_model = "m", .stream = true});
            };
            const auto t = make();
            const auto got = test::translate_stream(*t, stream);
            CHECK(content_of(got.text) == R"(ab"\日本}]}cd)");
            CHECK(got.done);
            test::check_cuts(make, stream);
        }
    }
}
