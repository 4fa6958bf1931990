#include "tests/support/fixture_files.hpp"
#include "tests/support/translation.hpp"
#include "upstream/dialect.hpp"
#include "upstream/provider_error.hpp"

#include <doctest/doctest.h>
#include <boost/json.hpp>

#include <filesystem>
#include <string>

using namespace concurred;
namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

constexpr std::string_view plain_request = R"({"model":"gemini","messages":[{"role":"user","content":"hi"}]})";

std::unique_ptr<upstream::answer_translator> translator(std::string_view request = plain_request,
                                                        bool include_usage = true) {
    const upstream::translation_context context{.upstream_model = "gemini-2.5-flash",
                                                .answer_model = "gemini-2.5-flash",
                                                .stream = true,
                                                .include_usage = include_usage,
                                                .created = 1'700'000'000};
    return upstream::google_dialect().answer(request, context);
}

std::vector<fs::path> fixtures(std::string_view extension) {
    std::vector<fs::path> found;
    for (const fs::path& root : {fs::path("tests/fixtures"), test::third_party_fixtures()}) {
        if (root.empty()) {
            continue;
        }
        for (const auto& entry : fs::directory_iterator(root / "google")) {
            const std::string name = entry.path().filename().string();
            if (name.ends_with(extension) && name.find(".expected.") == std::string::npos) {
                found.push_back(entry.path());
            }
        }
    }
    return found;
}

std::string expected_of(const fs::path& input) {
    return test::read_file(input.parent_path() / (input.stem().string() + ".expected" + input.extension().string()));
}

std::string event(std::string_view json) {
    return "data: " + std::string(json) + "\r\n\r\n";
}

std::string candidate(std::string_view parts, std::string_view rest = "") {
    return R"({"candidates":[{"content":{"parts":[)" + std::string(parts) + R"(],"role":"model"},"index":0)" +
           std::string(rest) +
           R"(}],"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":3},"modelVersion":"m","responseId":"r"})";
}

std::string finish_of(const test::translation& t) {
    std::string finish;
    for (const json::value& e : test::events_of(t.text)) {
        if (e.is_object() && !e.at("choices").as_array().empty() &&
            e.at("choices").at(0).at("finish_reason").is_string()) {
            finish = e.at("choices").at(0).at("finish_reason").as_string().c_str();
        }
    }
    return finish;
}

}  // namespace

TEST_SUITE("upstream/google_answer") {
    TEST_CASE("every recorded stream comes out as expected") {
        for (const fs::path& path : fixtures(".sse")) {
            INFO(path.string());
            const std::string stream = test::read_file(path);
            const std::string expected = expected_of(path);
            const auto t = translator();
            test::translation got = test::translate_stream(*t, stream);
            if (!got.error.empty()) {  // the relay turns it into the last event
                const base::error e = upstream::error_from_answer(
                    {.status = 200, .body = got.error, .provider = "google"}, base::wall_time());
                CHECK(e.upstream_code == "upstream_overloaded");
                const std::size_t last = expected.find("data: {\"error\"");
                REQUIRE(last != std::string::npos);
                test::check_stream(got.text, std::string_view(expected).substr(0, last), true);
                continue;
            }
            CHECK(got.done);
            test::check_stream(got.text, expected, true);
            test::check_cuts([] { return translator(); }, stream);
        }
    }

    TEST_CASE("every recorded whole answer comes out as expected") {
        for (const fs::path& path : fixtures(".json")) {
            INFO(path.string());
            const std::string body = test::read_file(path);
            json::value expected = json::parse(expected_of(path));
            if (json::parse(body).as_object().contains("status")) {
                continue;  // an HTTP error: see the test of provider_error
            }
            const base::result<std::string> got = translator()->whole(body);
            if (expected.as_object().contains("status")) {
                REQUIRE(got.has_error());
                CHECK(base::status_of(got.error()) == expected.at("status").as_int64());
                CHECK(got.error().upstream_code == expected.at("body").at("error").at("code").as_string().c_str());
                CHECK(got.error().message == expected.at("body").at("error").at("message").as_string().c_str());
                CHECK((got.error().retry == base::retry_class::safe) == expected.at("retryable").as_bool());
                continue;
            }
            REQUIRE(got.has_value());
            json::value ours = json::parse(*got);
            test::mask_own(ours);
            test::mask_own(expected);
            const bool same = ours == expected;
            CHECK_MESSAGE(same, json::serialize(ours) << "\n  expected\n" << json::serialize(expected));
        }
    }

    TEST_CASE("recorded errors keep what they mean") {
        for (const fs::path& path : fixtures(".json")) {
            const json::value answer = json::parse(test::read_file(path));
            if (!answer.as_object().contains("status")) {
                continue;
            }
            INFO(path.string());
            const json::value expected = json::parse(expected_of(path));
            const base::error e =
                upstream::error_from_answer({.status = static_cast<unsigned>(answer.at("status").as_int64()),
                                             .body = json::serialize(answer.at("body")),
                                             .provider = "google"},
                                            base::wall_time());
            CHECK(base::status_of(e) == expected.at("status").as_int64());
            CHECK((e.retry == base::retry_class::safe) == expected.at("retryable").as_bool());
            if (expected.as_object().contains("headers")) {
                CHECK(e.retry_after == std::chrono::milliseconds(34'400));  // sent rounded up: 35
                CHECK(e.upstream_code == "rate_limit_exceeded");
            } else {
                CHECK(e.code == base::errc::upstream_authentication_failed);
            }
        }
    }

    TEST_CASE("usage is the last figure of each kind, thoughts beside the candidates") {
        const auto t = translator(plain_request, false);
        const std::string stream =
            event(R"({"candidates":[{"content":{"parts":[{"text":"a"}]}}],"usageMetadata":{"promptTokenCount":100,)"
                  R"("candidatesTokenCount":1,"thoughtsTokenCount":7}})") +
            event(
                R"({"candidates":[{"content":{"parts":[{"text":"b"}]},"finishReason":"STOP"}],)"
                R"("usageMetadata":{"candidatesTokenCount":2,"cachedContentTokenCount":40,"toolUsePromptTokenCount":3}})");
        const test::translation got = test::translate_stream(*t, stream);
        REQUIRE(got.usage);
        CHECK(got.usage->prompt == 63);
        CHECK(got.usage->cache_read == 40);
        CHECK(got.usage->completion == 2);
        CHECK(got.usage->reasoning == 7);
        CHECK(got.octets == 2);
        CHECK(got.text.find("usage") == std::string::npos);  // the client did not ask
    }

    TEST_CASE("a call before the STOP makes it tool_calls, a limit stays a limit") {
        const std::string call =
            event(candidate(R"({"functionCall":{"name":"f"}},{"functionCall":{"id":"own","name":"f",)"
                            R"("args":{"a": [1, 2]}}})"));
        for (const auto& [reason, finish] :
             {std::pair{"STOP", "tool_calls"}, std::pair{"MAX_TOKENS", "length"}, std::pair{"SAFETY", "content_filter"},
              std::pair{"MALFORMED_FUNCTION_CALL", "tool_calls"}, std::pair{"OTHER", "tool_calls"}}) {
            const auto t = translator();
            const auto got = test::translate_stream(
                *t, call + event(candidate(R"({"text":""})", ",\"finishReason\":\"" + std::string(reason) + "\"")));
            CHECK(finish_of(got) == finish);
            const auto events = test::events_of(got.text);
            const json::value& first = events[1].at("choices").at(0).at("delta").at("tool_calls").at(0);
            const json::value& second = events[2].at("choices").at(0).at("delta").at("tool_calls").at(0);
            CHECK(first.at("index").as_int64() == 0);
            CHECK(first.at("function").at("arguments").as_string() == "{}");
            CHECK(second.at("index").as_int64() == 1);
            CHECK(second.at("id").as_string() == "own");
            CHECK(second.at("function").at("arguments").as_string() == R"({"a":[1,2]})");
            CHECK(first.at("id").as_string() != second.at("id").as_string());
        }
    }

    TEST_CASE("of parallel calls that the client does not want only the first comes") {
        const std::string request =
            R"({"model":"m","messages":[{"role":"user","content":"x"}],"parallel_tool_calls":false})";
        const std::string parts = R"({"functionCall":{"name":"f"}},{"functionCall":{"name":"g"}})";
        const auto whole = translator(request)->whole(candidate(parts, R"(,"finishReason":"STOP")"));
        REQUIRE(whole.has_value());
        const json::value answer = json::parse(*whole);
        CHECK(answer.at("choices").at(0).at("message").at("tool_calls").as_array().size() == 1);
        const auto t = translator(request);
        const auto got = test::translate_stream(*t, event(candidate(parts, R"(,"finishReason":"STOP")")));
        CHECK(test::events_of(got.text).size() == 5);  // role, call, end, usage, [DONE]
    }

    TEST_CASE("a broken call without anything else is an error that may be tried again") {
        const auto t = translator();
        const auto got =
            test::translate_stream(*t, event(candidate("", R"(,"finishReason":"MALFORMED_FUNCTION_CALL")")));
        CHECK(!got.content_seen);
        CHECK(!got.done);
        CHECK(got.error.find("malformed_function_call") != std::string::npos);
        const auto with_text = translator();
        const auto good = test::translate_stream(
            *with_text, event(candidate(R"({"text":"so"})", R"(,"finishReason":"MALFORMED_FUNCTION_CALL")")));
        CHECK(good.error.empty());
        CHECK(finish_of(good) == "stop");
    }

    TEST_CASE("an end without a finish reason is no whole answer") {
        const auto t = translator();
        const auto got = test::translate_stream(*t, event(candidate(R"({"text":"half"})")));
        CHECK(!got.done);
        CHECK(got.text.find("[DONE]") == std::string::npos);
        CHECK(got.text.find("half") != std::string::npos);
    }

    TEST_CASE("a refused prompt in a stream is an answer without content") {
        const auto t = translator();
        const auto got = test::translate_stream(
            *t, event(R"({"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":3}})"));
        CHECK(got.done);
        CHECK(finish_of(got) == "content_filter");
    }

    TEST_CASE("several candidates are several choices, each with its end") {
        const std::string request = R"({"model":"m","messages":[{"role":"user","content":"x"}],"n":2})";
        const auto t = translator(request);
        const std::string stream =
            event(R"({"candidates":[{"content":{"parts":[{"text":"A"}]},"index":0,"finishReason":"STOP"}]})") +
            event(R"({"candidates":[{"content":{"parts":[{"text":"B"}]},"index":1,"finishReason":"MAX_TOKENS"}]})");
        const auto events = test::events_of(test::translate_stream(*t, stream).text);
        REQUIRE(events.size() == 7);
        CHECK(events[3].at("choices").at(0).at("index").as_int64() == 1);
        CHECK(events[3].at("choices").at(0).at("delta").at("content").as_string() == "B");
        CHECK(events[4].at("choices").at(0).at("finish_reason").as_string() == "stop");
        CHECK(events[5].at("choices").at(0).at("finish_reason").as_string() == "length");
    }

    TEST_CASE("log probabilities and pictures are said in the client's words") {
        const auto whole = translator()->whole(candidate(
            R"({"text":"Hi"},{"inlineData":{"mimeType":"image/png","data":"AAAA"}})",
            R"(,"finishReason":"STOP","logprobsResult":{"chosenCandidates":[{"token":"Hi","logProbability":-0.5}],)"
            R"("topCandidates":[{"candidates":[{"token":"Hi","logProbability":-0.5},{"token":"Yo","logProbability":-2}]}]})"));
        REQUIRE(whole.has_value());
        const json::value answer = json::parse(*whole);
        const json::value& choice = answer.at("choices").at(0);
        CHECK(choice.at("message").at("images").at(0).at("image_url").at("url").as_string() ==
              "data:image/png;base64,AAAA");
        const json::value& token = choice.at("logprobs").at("content").at(0);
        CHECK(token.at("token").as_string() == "Hi");
        CHECK(token.at("logprob").as_double() == -0.5);
        CHECK(token.at("top_logprobs").at(1).at("token").as_string() == "Yo");
    }

    TEST_CASE("what is no answer of Gemini's is the provider's fault") {
        for (const char* const body : {"", "no", "[]", "{}", R"({"candidates":{}})"}) {
            const auto got = translator()->whole(body);
            REQUIRE(got.has_error());
            CHECK(base::status_of(got.error()) == 502);
        }
        const auto t = translator();
        const auto got = test::translate_stream(*t, event("{broken"));
        CHECK(!got.error.empty());
        CHECK(got.text.empty());
    }

    TEST_CASE("an error in brackets is read") {
        const auto t = translator();
        const auto got = test::translate_stream(*t, event(R"([{"error":{"code":429,"message":"slow",)"
                                                          R"("status":"RESOURCE_EXHAUSTED"}}])"));
        const base::error e =
            upstream::error_from_answer({.status = 200, .body = got.error, .provider = "google"}, base::wall_time());
        CHECK(base::status_of(e) == 429);
        CHECK(e.retry == base::retry_class::safe);
    }

    TEST_CASE("a quota of the day is not worth waiting for") {
        const base::error e = upstream::error_from_answer(
            {.status = 429,
             .body = R"({"error":{"code":429,"message":"quota","status":"RESOURCE_EXHAUSTED","details":[{"@type":)"
                     R"("type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"RequestsPerDay"}]}]}})",
             .provider = "google"},
            base::wall_time());
        CHECK(base::status_of(e) == 429);
        CHECK(e.retry == base::retry_class::never);
    }

    TEST_CASE("the pages that a search found are annotations, their places counted in characters") {
        constexpr std::string_view request = R"({"messages":[],"web_search_options":{}})";
        // "Grüße. Wien" has 13 octets and 11 characters; Gemini counts octets.
        constexpr std::string_view grounding =
            R"(,"groundingMetadata":{"webSearchQueries":["q"],"groundingChunks":[)"
            R"({"web":{"uri":"https://a.example/1","title":"A"}},{"web":{"uri":"https://b.example/2"}}],)"
            R"("groundingSupports":[{"segment":{"endIndex":8,"text":"Grüße."},"groundingChunkIndices":[0]},)"
            R"({"segment":{"startIndex":9,"endIndex":13,"text":"Wien"},"groundingChunkIndices":[1,0,7]}]})";
        const json::value expected = json::parse(
            R"([{"type":"url_citation","url_citation":{"start_index":0,"end_index":6,"url":"https://a.example/1","title":"A"}},)"
            R"({"type":"url_citation","url_citation":{"start_index":7,"end_index":11,"url":"https://b.example/2","title":""}},)"
            R"({"type":"url_citation","url_citation":{"start_index":7,"end_index":11,"url":"https://a.example/1","title":"A"}}])");
        const std::string end = R"(,"finishReason":"STOP")" + std::string(grounding);

        const auto whole = translator(request)->whole(candidate(R"({"text":"Gr\u00fc\u00dfe. Wien"})", end));
        REQUIRE(whole.has_value());
        CHECK(json::parse(*whole).at("choices").at(0).at("message").at("annotations") == expected);

        const std::string stream = event(candidate(R"({"text":"Grüße. "})")) + event(candidate(R"({"text":"W"})")) +
                                   event(candidate(R"({"text":"ien"})", end));
        test::check_cuts([&] { return translator(request); }, stream);
        const auto t = translator(request);
        const auto events = test::events_of(test::translate_stream(*t, stream).text);
        // role, three texts, annotations, finish, usage, end
        REQUIRE(events.size() == 8);
        CHECK(events[4].at("choices").at(0).at("delta").at("annotations") == expected);
        CHECK(events[5].at("choices").at(0).at("finish_reason").as_string() == "stop");

        // Without passages each page stands for all of the answer.
        const auto bare = translator(request)->whole(candidate(
            R"({"text":"Ja"})",
            R"(,"finishReason":"STOP","groundingMetadata":{"groundingChunks":[{"web":{"uri":"u","title":"t"}}]})"));
        REQUIRE(bare.has_value());
        CHECK(json::parse(*bare).at("choices").at(0).at("message").at("annotations").at(0).at("url_citation") ==
              json::parse(R"({"start_index":0,"end_index":2,"url":"u","title":"t"})"));
    }
}
