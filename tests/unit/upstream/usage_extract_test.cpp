#include "upstream/usage_extract.hpp"

#include <doctest/doctest.h>

#include <string>

using concurred::base::token_counts;
using concurred::upstream::parse_usage;

TEST_SUITE("upstream/usage_extract") {
    TEST_CASE("figures become disjoint classes") {
        struct row {
            std::string_view text;
            token_counts counts;  // prompt, cache read, cache write, completion, reasoning
        };
        const row rows[] = {
            {R"({"prompt_tokens":16,"completion_tokens":300,"total_tokens":316})", {16, 0, 0, 300, 0}},
            // reasoning within the completion (OpenAI)
            {R"({"prompt_tokens":102,"completion_tokens":118,"total_tokens":220,)"
             R"("prompt_tokens_details":{"cached_tokens":2,"audio_tokens":0},)"
             R"("completion_tokens_details":{"reasoning_tokens":64,"audio_tokens":0}})",
             {100, 2, 0, 54, 64}},
            // reasoning beside it: 12 + 2 + 320 = 334 (xAI)
            {R"({"prompt_tokens":12,"completion_tokens":2,"total_tokens":334,)"
             R"("prompt_tokens_details":{"cached_tokens":11},"completion_tokens_details":{"reasoning_tokens":320}})",
             {1, 11, 0, 2, 320}},
            {R"({"prompt_tokens":1044,"completion_tokens":61,"total_tokens":1105,"cost":0.000412,"is_byok":false,)"
             R"("prompt_tokens_details":{"cached_tokens":896,"cache_write_tokens":48},)"
             R"("cost_details":{"upstream_inference_cost":null},"completion_tokens_details":{"reasoning_tokens":44}})",
             {100, 896, 48, 17, 44}},
            {R"({"prompt_tokens":5,"total_tokens":5})", {5, 0, 0, 0, 0}},
            {R"({"completion_tokens":5})", {0, 0, 0, 5, 0}},
            {R"({"prompt_tokens":7,"completion_tokens":0,"prompt_tokens_details":null,"completion_tokens_details":null})",
             {7, 0, 0, 0, 0}},
            // never more than the whole
            {R"({"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":8,"cache_write_tokens":8},)"
             R"("completion_tokens_details":{"reasoning_tokens":9}})",
             {0, 8, 2, 0, 5}},
            {R"({"prompt_tokens":9007199254740992,"completion_tokens":1})", {9007199254740992, 0, 0, 1, 0}},
        };
        for (const row& r : rows) {
            INFO(r.text);
            const auto counts = parse_usage(r.text);
            REQUIRE(counts.has_value());
            CHECK(counts->prompt == r.counts.prompt);
            CHECK(counts->cache_read == r.counts.cache_read);
            CHECK(counts->cache_write == r.counts.cache_write);
            CHECK(counts->completion == r.counts.completion);
            CHECK(counts->reasoning == r.counts.reasoning);
        }
    }

    TEST_CASE("figures that cannot be right are not believed") {  // reliability U-27
        for (const char* text : {"",
                                 "{",
                                 "{}",
                                 "[]",
                                 "null",
                                 "1",
                                 R"({"total_tokens":0,"total_characters":0})",
                                 R"({"prompt_tokens":0,"completion_tokens":0,"total_tokens":0})",
                                 R"({"prompt_tokens":-1,"completion_tokens":5})",
                                 R"({"prompt_tokens":"1","completion_tokens":5})",
                                 R"({"prompt_tokens":1.5,"completion_tokens":5})",
                                 R"({"prompt_tokens":1e3,"completion_tokens":5})",
                                 R"({"prompt_tokens":9007199254740993})",
                                 R"({"prompt_tokens":18446744073709551616})",
                                 R"({"prompt_tokens":{"a":1},"completion_tokens":5})",
                                 R"({"prompt_tokens":[1]})",
                                 R"({"prompt_tokens":true})",
                                 R"({"prompt_tokens":5,"prompt_tokens_details":[]})",
                                 R"({"prompt_tokens":5,"prompt_tokens_details":{"cached_tokens":"x"}})",
                                 R"({"prompt_tokens":5,"completion_tokens_details":7})",
                                 R"({"prompt_tokens":5} x)",
                                 R"({"prompt_tokens":5,})"}) {
            INFO(text);
            CHECK_FALSE(parse_usage(text).has_value());
        }
    }

    TEST_CASE("what follows the object can be ignored") {
        CHECK(parse_usage(R"({"prompt_tokens":5},"x":1})", concurred::http::json_tail::ignored).has_value());
        CHECK_FALSE(parse_usage(R"({"prompt_tokens":5)", concurred::http::json_tail::ignored).has_value());
    }
}
