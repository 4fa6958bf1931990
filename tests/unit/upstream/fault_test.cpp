#include "upstream/fault.hpp"

#include "upstream/provider_error.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace concurred;
using base::errc;
using upstream::attempt_phase;
using upstream::blame;
using upstream::blame_for;
using upstream::reason_text;

namespace {

base::error answered(unsigned status, std::string_view body = "{}", std::string_view provider = "openai") {
    return upstream::error_from_answer({.status = status, .body = body, .provider = provider}, base::wall_time());
}

}  // namespace

TEST_SUITE("upstream/fault") {
    TEST_CASE("an answer's status says whose fault it is") {
        struct row {
            unsigned status;
            const char* body;
            blame whose;
            std::string_view reason;
        };
        const row rows[] = {
            {400, "{}", blame::request, "request"},
            {400, R"({"error":{"message":"m","code":"context_length_exceeded"}})", blame::model, "model"},
            {401, "{}", blame::key, "key"},
            {402, "{}", blame::key, "quota"},
            {403, "{}", blame::key, "key"},
            {403, R"({"error":{"message":"m","code":"content_policy_violation"}})", blame::request, "request"},
            {404, "{}", blame::model, "model"},
            {408, "{}", blame::answer, "timeout"},
            {413, "{}", blame::request, "request"},
            {422, "{}", blame::request, "request"},
            {429, "{}", blame::key, "rate_limited"},
            {429, R"({"error":{"message":"m","code":"insufficient_quota"}})", blame::key, "quota"},
            {500, "{}", blame::answer, "error"},
            {502, "{}", blame::answer, "error"},
            {503, "{}", blame::answer, "overloaded"},
            {504, "{}", blame::answer, "timeout"},
            {529, "{}", blame::answer, "overloaded"},
            {200, R"({"error":{"message":"m","type":"overloaded_error"}})", blame::answer, "overloaded"},
        };
        for (const row& r : rows) {
            CAPTURE(r.status);
            CAPTURE(std::string(r.body));
            const base::error e = answered(r.status, r.body);
            CHECK(blame_for(e, attempt_phase::answering) == r.whose);
            CHECK(reason_text(e, attempt_phase::answering) == r.reason);
        }
    }

    TEST_CASE("not reaching a provider is another fault than its not answering") {
        const base::error refused = base::upstream_error(errc::upstream_error, "refused");
        const base::error late = base::upstream_error(errc::upstream_timeout, "late");
        CHECK(blame_for(refused, attempt_phase::connecting) == blame::way);
        CHECK(blame_for(late, attempt_phase::connecting) == blame::way);
        CHECK(blame_for(refused, attempt_phase::answering) == blame::answer);
        CHECK(blame_for(late, attempt_phase::answering) == blame::answer);
        CHECK(reason_text(refused, attempt_phase::connecting) == "connect");
        CHECK(reason_text(late, attempt_phase::connecting) == "connect_timeout");
        CHECK(reason_text(late, attempt_phase::answering) == "timeout");
    }

    TEST_CASE("nobody learns from a client that left, a drain, or a full pool of ours") {
        CHECK(blame_for(base::client_error(errc::client_gone, {}), attempt_phase::answering) == blame::nobody);
        CHECK(blame_for(base::gateway_error(errc::service_unavailable, {}), attempt_phase::connecting) ==
              blame::nobody);
        CHECK(blame_for(base::gateway_error(errc::internal, {}), attempt_phase::preparing) == blame::nobody);
    }

    TEST_CASE("a field that a provider cannot do is the request's; a model that is off is the model's") {
        CHECK(blame_for(base::client_error(errc::bad_request, "logprobs", "logprobs"), attempt_phase::preparing) ==
              blame::request);
        CHECK(blame_for(base::gateway_error(errc::model_unavailable, "no key"), attempt_phase::preparing) ==
              blame::model);
    }
}
