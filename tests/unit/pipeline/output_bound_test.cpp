#include "gateway/pipeline/output_bound.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string_view>

using concurred::pipeline::requested_output;

TEST_SUITE("pipeline/output_bound") {
    TEST_CASE("the bound of an answer is found in every dialect, and times the number of answers") {
        const struct {
            std::string_view body;
            std::optional<std::uint64_t> expected;
        } rows[] = {
            {R"({"model":"m"})", std::nullopt},
            {R"({"max_tokens":100})", 100},
            {R"({"max_completion_tokens": 50, "max_tokens":7})", 50},
            {R"({"max_output_tokens":9})", 9},
            {R"({"generationConfig":{"temperature":1,"maxOutputTokens":300}})", 300},
            {R"({"n":3,"max_tokens":100})", 300},
            {R"({"max_tokens":null})", std::nullopt},
            {R"({"max_tokens":-1})", std::nullopt},
            {R"({"max_tokens":1.5})", std::nullopt},
            {R"({"max_tokens":99999999999999999999999})", 1'000'000'000},
            {R"({"n":1000,"max_tokens":1000000000})", 1'000'000'000},
            {R"({"messages":[{"max_tokens":5}]})", std::nullopt},
        };
        for (const auto& row : rows) {
            CAPTURE(row.body);
            CHECK(requested_output(row.body) == row.expected);
        }
    }
}
