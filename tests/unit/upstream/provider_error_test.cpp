#include "upstream/provider_error.hpp"

#include "gateway/http/error_body.hpp"
#include "tests/support/fixture_files.hpp"

#include <doctest/doctest.h>
#include <boost/json.hpp>

#include <string>

using namespace concurred;
using namespace std::chrono_literals;
using base::errc;
using base::retry_class;
using upstream::error_from_answer;
using upstream::provider_answer;

namespace {

base::error judge(unsigned status, std::string_view body, std::string_view provider = "openai") {
    return error_from_answer({.status = status, .body = body, .provider = provider}, base::wall_time(784111777s));
}

/// An answer of the fixtures: {status, headers, body}.
base::error judge_fixture(std::string_view provider, const std::string& text) {
    const boost::json::value answer = boost::json::parse(text);
    return judge(static_cast<unsigned>(answer.at("status").as_int64()), boost::json::serialize(answer.at("body")),
                 provider);
}

}  // namespace

TEST_SUITE("upstream/provider_error") {
    TEST_CASE("recorded errors keep their status, code and message") {
        struct row {
            const char* provider;
            const char* file;
            unsigned status;
            std::string_view code;
            std::string_view type;
            std::string_view param;
            std::string_view message;
            retry_class retry;
        };
        const row rows[] = {
            {"openai", "openai/error-quota.json", 429, "credit_balance_exhausted", "insufficient_quota", "",
             "You exceeded your current quota, please check your plan and billing details.", retry_class::never},
            {"openrouter", "openrouter/error-402.json", 402, "payment_required", "insufficient_quota", "",
             "Insufficient credits. Add more using https://openrouter.ai/credits", retry_class::never},
            {"x-ai", "x-ai/error-string.json", 400, "BAD_REQUEST", "invalid_request_error", "",
             "Model grok-4.3 does not support parameter presencePenalty.", retry_class::never},
            {"minimax", "minimax/error-balance.json", 402, "insufficient_balance", "insufficient_quota", "",
             "insufficient balance", retry_class::never},
            {"minimax", "minimax/error-params.json", 400, "BAD_REQUEST", "invalid_request_error", "",
             "invalid params, invalid temperature", retry_class::never},
        };
        for (const row& r : rows) {
            INFO(r.file);
            const base::error e = judge_fixture(r.provider, test::fixture(r.file));
            CHECK(base::status_of(e) == r.status);
            CHECK(e.upstream_code == r.code);
            CHECK(e.upstream_type == r.type);
            CHECK(e.param == r.param);
            CHECK(e.message == r.message);
            CHECK(e.retry == r.retry);
            CHECK(e.source == base::error_source::upstream);
        }
    }

    TEST_CASE("a third-party error keeps its parameter") {
        const auto folder = test::third_party_fixtures();
        if (folder.empty()) {
            return;
        }
        const base::error e =
            judge_fixture("openai", test::read_file(folder / "openai/error-unsupported-parameter.json"));
        CHECK(base::status_of(e) == 400);
        CHECK(e.upstream_code == "unsupported_parameter");
        CHECK(e.upstream_type == "invalid_request_error");
        CHECK(e.param == "max_tokens");
    }

    TEST_CASE("an error that comes with status 200 gets the status it means") {
        struct row {
            const char* provider;
            const char* body;
            unsigned status;
            std::string_view code;  // empty: that of our errc
            retry_class retry;
        };
        const row rows[] = {
            {"minimax", R"({"base_resp":{"status_code":1002,"status_msg":"rate limit exceeded"}})", 429,
             "rate_limit_exceeded", retry_class::safe},
            {"minimax", R"({"base_resp":{"status_code":1004,"status_msg":"login fail"}})", 502, "", retry_class::never},
            {"minimax", R"({"base_resp":{"status_code":1001,"status_msg":"timeout"}})", 504, "", retry_class::safe},
            {"minimax", R"({"base_resp":{"status_code":1026,"status_msg":"input new_sensitive"}})", 400,
             "content_policy_violation", retry_class::never},
            {"minimax",
             R"({"base_resp":{"status_code":2013,"status_msg":"invalid params, context window exceeds limit"}})", 400,
             "context_length_exceeded", retry_class::never},
            {"minimax", R"({"base_resp":{"status_code":2056,"status_msg":"usage limit"}})", 429, "insufficient_quota",
             retry_class::never},
            {"minimax", R"({"base_resp":{"status_code":2061,"status_msg":"not in plan"}})", 403, "model_not_allowed",
             retry_class::never},
            {"minimax", R"({"base_resp":{"status_code":9999,"status_msg":"system busy"}})", 502, "", retry_class::safe},
            {"minimax", R"({"base_resp":{"status_code":9998,"status_msg":"what"}})", 502, "", retry_class::never},
            {"x-ai", R"({"code":"The service is currently unavailable","error":"down"})", 503, "upstream_overloaded",
             retry_class::safe},
            {"x-ai", R"({"code":"Client specified an invalid argument","error":"no"})", 400, "BAD_REQUEST",
             retry_class::never},
            {"openrouter",
             R"({"choices":[],"error":{"code":502,"message":"Provider disconnected unexpectedly",)"
             R"("metadata":{"error_type":"provider_unavailable"}}})",
             502, "upstream_unavailable", retry_class::safe},
            {"openrouter", R"({"error":{"code":429,"message":"slow","metadata":{"error_type":"rate_limit_exceeded"}}})",
             429, "rate_limit_exceeded", retry_class::safe},
            {"openai", R"({"error":{"message":"busy","type":"server_error","code":"server_is_overloaded"}})", 503,
             "upstream_overloaded", retry_class::safe},
            {"openai", R"({"error":{"message":"m","type":"server_error","code":null}})", 502, "", retry_class::safe},
        };
        for (const row& r : rows) {
            INFO(r.body);
            const base::error e = judge(200, r.body, r.provider);
            CHECK(base::status_of(e) == r.status);
            CHECK(e.upstream_code == r.code);
            CHECK(e.retry == r.retry);
        }
    }

    TEST_CASE("the provider's own failures map to 502, 503 and 504") {
        struct row {
            unsigned status;
            unsigned ours;
            std::string_view code;
            retry_class retry;
        };
        const row rows[] = {
            {500, 502, "", retry_class::safe},  {501, 502, "", retry_class::never},
            {502, 502, "", retry_class::safe},  {503, 503, "upstream_overloaded", retry_class::safe},
            {504, 504, "", retry_class::safe},  {520, 502, "", retry_class::never},
            {524, 504, "", retry_class::safe},  {529, 503, "upstream_overloaded", retry_class::safe},
            {302, 502, "", retry_class::never}, {204, 502, "", retry_class::safe},
        };
        for (const row& r : rows) {
            INFO(r.status);
            const base::error e = judge(r.status, R"({"error":{"message":"The server had an error"}})");
            CHECK(base::status_of(e) == r.ours);
            CHECK(e.upstream_code == r.code);
            CHECK(e.message == "The server had an error");
            CHECK(e.retry == r.retry);
        }
    }

    TEST_CASE("a refused key is the gateway's fault, or names the caller's stored key") {  // DECISIONS.md 14
        const char* body =
            R"({"error":{"message":"Incorrect API key provided: sk-proj-Ab12****wxyZ.","type":"invalid_request_error",)"
            R"("param":null,"code":"invalid_api_key"}})";
        for (const unsigned status : {401U, 403U}) {
            const base::error ours = judge(status, body);
            CHECK(base::status_of(ours) == 502);
            CHECK(ours.code == errc::upstream_authentication_failed);
            CHECK(http::render_error(ours).find("sk-") == std::string::npos);
            CHECK(ours.retry == retry_class::never);

            const base::error theirs = error_from_answer(
                {.status = status, .body = body, .provider = "openai", .byok = true, .key_slug = "my-openai-key"}, {});
            CHECK(base::status_of(theirs) == 401);
            CHECK(theirs.message ==
                  "The provider refused your stored provider key 'my-openai-key'. Check it, or store a new one.");
            CHECK(theirs.upstream_type == "authentication_error");
            CHECK(http::render_error(theirs).find("sk-") == std::string::npos);
        }
        const char* wrong_key =
            R"({"code":"Client specified an invalid argument","error":"Incorrect API key provided: xa***yz."})";
        CHECK(judge(400, wrong_key, "x-ai").code == errc::upstream_authentication_failed);
    }

    TEST_CASE("a limit of the caller's own key is told with the key's name") {
        const char* body =
            R"({"error":{"message":"Slow down.","type":"requests","param":null,"code":"rate_limit_exceeded"}})";
        const base::error theirs = error_from_answer(
            {.status = 429, .body = body, .provider = "openai", .byok = true, .key_slug = "my-openai-key"}, {});
        CHECK(base::status_of(theirs) == 429);
        CHECK(theirs.message == "Your provider key 'my-openai-key': Slow down.");
        CHECK(theirs.upstream_code == "rate_limit_exceeded");
        CHECK(judge(429, body).message == "Slow down.");
    }

    TEST_CASE("a refusal of the content is no refusal of the key") {
        const base::error e = judge(
            403,
            R"({"error":{"code":403,"message":"flagged","metadata":{"reasons":["violence"],"flagged_input":"x"}}})",
            "openrouter");
        CHECK(base::status_of(e) == 403);
        CHECK(e.upstream_code == "content_policy_violation");
        CHECK(e.message == "flagged");
    }

    TEST_CASE("the routed provider's own words are preferred") {
        const base::error json =
            judge(400,
                  R"({"error":{"code":400,"metadata":{"raw":"{\"error\":{\"message\":\"too long\"}}","error_type":)"
                  R"("context_length_exceeded"},"message":"Provider returned error"}})",
                  "openrouter");
        CHECK(json.message == "too long");
        CHECK(json.upstream_code == "context_length_exceeded");
        CHECK(judge(400, R"({"error":{"code":400,"message":"m","metadata":{"raw":"plain words"}}})").message ==
              "plain words");
        for (const char* raw : {"{\\\"x\\\":1}", "<html>", "", "[1]"}) {
            CHECK(judge(400, R"({"error":{"code":400,"message":"m","metadata":{"raw":")" + std::string(raw) + "\"}}}")
                      .message == "m");
        }
    }

    TEST_CASE("bodies that say nothing give a plain message") {
        for (const char* body : {"", "<html>Bad gateway</html>", "{", "[]", "{}", "null", "{\"error\":null}"}) {
            INFO(body);
            const base::error e = judge(404, body);
            CHECK(e.message == "The provider answered with status 404.");
            CHECK(e.upstream_code == "model_not_found");
            CHECK(e.upstream_type == "invalid_request_error");
        }
        CHECK(judge(301, "").message == "The provider answered with a redirect, which is not followed.");
        CHECK(judge(422, R"({"detail":"bad field"})").message == "bad field");
        CHECK(judge(422, R"({"message":"bad field"})").message == "bad field");
    }

    TEST_CASE("messages are scrubbed and bounded") {
        const base::error e = judge(
            429, R"({"error":{"message":"Rate limit reached in organization org-Ab12Cd34 on tokens","type":"tokens",)"
                 R"("code":"rate_limit_exceeded"}})");
        CHECK(e.message == "Rate limit reached in organization *** on tokens");
        CHECK(e.upstream_type == "rate_limit_error");
        CHECK(e.retry == retry_class::safe);
        std::string text;
        while (text.size() < 3000) {
            text += "\xC3\xA9";
        }
        const base::error big = judge(400, R"({"error":{"message":")" + text + R"(","code":")" + text + "\"}}");
        CHECK(big.message.size() == 1024);
        CHECK(big.upstream_code.size() <= 128);
        CHECK(judge(400, std::string(70'000, ' ') + "{\"error\":\"late\"}").message ==
              "The provider answered with status 400.");
    }

    TEST_CASE("the time to wait and the provider's advice are kept") {
        const base::wall_time now(784111777s);
        provider_answer answer{.status = 429, .body = R"({"error":{"message":"m"}})", .provider = "openai"};
        CHECK(error_from_answer(answer, now).retry_after == 0ms);
        answer.retry_after = "7";
        CHECK(error_from_answer(answer, now).retry_after == 7s);
        answer.retry_after_ms = "1234";
        CHECK(error_from_answer(answer, now).retry_after == 1234ms);
        CHECK(error_from_answer(answer, now).retry == retry_class::safe);
        answer.should_retry = false;
        CHECK(error_from_answer(answer, now).retry == retry_class::never);
        answer.status = 400;
        CHECK(error_from_answer(answer, now).retry_after == 0ms);
        answer.should_retry = true;
        CHECK(error_from_answer(answer, now).retry == retry_class::safe);
    }
}
