#include "gateway/http/error_body.hpp"

#include <doctest/doctest.h>

using namespace concurred;
using http::render_error;

TEST_SUITE("http/error_body") {
    TEST_CASE("an error has all five members, param null and details an object") {  // DECISIONS.md 14
        CHECK(render_error(base::client_error(base::errc::rate_limit_exceeded, {})) ==
              R"({"error":{"code":"RATE_LIMIT_EXCEEDED","message":"Too many requests.","type":"rate_limit_error",)"
              R"("param":null,"details":{}}})");
    }

    TEST_CASE("param and details are given where known") {
        base::error e =
            base::client_error(base::errc::missing_required_field, "The field 'model' is required.", "model");
        e.details = R"({"field":"model"})";
        CHECK(render_error(e) ==
              R"({"error":{"code":"MISSING_REQUIRED_FIELD","message":"The field 'model' is required.",)"
              R"("type":"invalid_request_error","param":"model","details":{"field":"model"}}})");
    }

    TEST_CASE("the provider's code and type replace ours") {
        base::error e = base::upstream_error(base::errc::upstream_status, "no \"quota\"\n");
        e.upstream_status = 429;
        e.upstream_code = "credit_balance_exhausted";
        e.upstream_type = "insufficient_quota";
        CHECK(render_error(e) ==
              R"({"error":{"code":"credit_balance_exhausted","message":"no \"quota\"\n","type":"insufficient_quota",)"
              R"("param":null,"details":{}}})");
    }

    TEST_CASE("details that are no object are left out") {
        for (const char* details : {"[]", "1", "{", "{} x", "\"a\""}) {
            base::error e = base::client_error(base::errc::not_found, {});
            e.details = details;
            CHECK(render_error(e).ends_with(R"("details":{}}})"));
        }
    }

    TEST_CASE("an error event is one data line") {
        base::error e = base::client_error(base::errc::not_found, "a\nb");
        e.details = "{\r\n\"a\": 1\n}";
        CHECK(http::render_error_event(e) ==
              "data: {\"error\":{\"code\":\"NOT_FOUND\",\"message\":\"a\\nb\",\"type\":\"invalid_request_error\","
              "\"param\":null,\"details\":{  \"a\": 1 }}}\n\n");
    }
}
