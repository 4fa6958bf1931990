#include "upstream/retry_policy.hpp"

#include <doctest/doctest.h>

using namespace concurred;
using namespace std::chrono_literals;
using upstream::blame;
using upstream::decide_retry;
using upstream::retry_question;
using upstream::retry_step;

namespace {

/// An overloaded provider, with time to spare.
retry_question overloaded() {
    return {.fault = blame::answer, .repeatable = true, .left = 60s};
}

}  // namespace

TEST_SUITE("upstream/retry_policy") {
    TEST_CASE("what is decided, fault by fault, alone and with another model at hand") {
        struct row {
            const char* what;
            retry_question q;
            retry_step alone;
            retry_step with_other;
        };
        const auto repeat = retry_step::repeat;
        const auto next = retry_step::next_target;
        const auto end = retry_step::give_up;
        const row rows[] = {
            {"overloaded", overloaded(), repeat, repeat},
            {"refused connection", {.fault = blame::way, .repeatable = true, .left = 60s}, repeat, repeat},
            {"stalled before the first token", {.fault = blame::answer, .left = 60s}, end, next},
            {"garbage", {.fault = blame::answer, .repeatable = false, .left = 60s}, end, next},
            {"the request's own fault", {.fault = blame::request, .repeatable = true, .left = 60s}, end, end},
            {"no such model", {.fault = blame::model, .left = 60s}, end, next},
            {"key refused", {.fault = blame::key, .left = 60s}, end, next},
            {"key refused, another awake", {.fault = blame::key, .other_key = true, .left = 60s}, repeat, repeat},
            {"rate", {.fault = blame::key, .repeatable = true, .left = 60s}, repeat, repeat},
            {"rate, told to wait a second",
             {.fault = blame::key, .repeatable = true, .asked = 1s, .left = 60s},
             repeat,
             repeat},
            {"rate, told to wait long",
             {.fault = blame::key, .repeatable = true, .asked = 10s, .left = 60s},
             repeat,
             next},
            {"rate, told to wait too long",
             {.fault = blame::key, .repeatable = true, .asked = 60s, .left = 60s},
             end,
             next},
            {"money", {.fault = blame::key, .repeatable = true, .money = true, .left = 60s}, end, next},
            {"breaker open", {.fault = blame::answer, .repeatable = true, .open = true, .left = 60s}, end, next},
            {"no repeats allowed", {.fault = blame::answer, .repeatable = true, .allowed = 0, .left = 60s}, end, next},
            {"repeats used up", {.fault = blame::answer, .repeatable = true, .repeats = 2, .left = 60s}, end, next},
            {"repeats used up on keys", {.fault = blame::key, .repeats = 2, .other_key = true, .left = 60s}, end, next},
            {"no time left", {.fault = blame::answer, .repeatable = true, .left = 100ms}, end, next},
            {"client gone", {.fault = blame::nobody, .left = 60s}, end, end},
            {"pool full", {.fault = blame::nobody, .repeatable = true, .left = 60s}, end, next},
        };
        for (const row& r : rows) {
            INFO(r.what);
            retry_question q = r.q;
            CHECK(decide_retry(q).step == r.alone);
            q.other_target = true;
            CHECK(decide_retry(q).step == r.with_other);
        }
    }

    TEST_CASE("waits double, half of each by dice, up to a limit") {
        retry_question q = overloaded();
        q.allowed = 5;
        const std::chrono::milliseconds full[] = {250ms, 500ms, 1000ms, 2000ms, 4000ms};
        for (unsigned i = 0; i < 5; ++i) {
            q.repeats = i;
            q.dice = 0;
            CHECK(decide_retry(q).wait == full[i] / 2);
            q.dice = 0.999999;
            CHECK(decide_retry(q).wait <= full[i]);
            CHECK(decide_retry(q).wait >= full[i] - 2ms);
        }
        q.backoff = 10s;
        q.dice = 0;
        CHECK(decide_retry(q).wait == upstream::longest_backoff / 2);
    }

    TEST_CASE("a wait that the provider asks for is never shortened, and at most a tenth longer") {
        retry_question q = overloaded();
        q.asked = 5s;
        q.dice = 0;
        CHECK(decide_retry(q).wait == 5s);
        q.dice = 0.99;
        CHECK(decide_retry(q).wait > 5s);
        CHECK(decide_retry(q).wait <= 5500ms);
    }

    TEST_CASE("another key is used at once") {
        const auto d =
            decide_retry({.fault = blame::key, .repeatable = true, .asked = 30s, .other_key = true, .left = 60s});
        CHECK(d.step == retry_step::repeat);
        CHECK(d.wait == 0ms);
    }
}
