#include "auth/key_limits.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace concurred;
using namespace concurred::auth;

TEST_SUITE("auth/key_limits") {
    TEST_CASE("limits are members of an object, those that there are") {
        CHECK(spend_limit_members({}).empty());
        CHECK(spend_limit_members({.tokens_per_minute = 5'000}) == R"(,"tokenLimit":5000)");
        CHECK(spend_limit_members({.concurrency = 2, .budget_month_nano_usd = 10}) ==
              R"(,"concurrency":2,"budget":{"month":0.00000001})");
        CHECK(spend_limit_members({.tokens_per_minute = 1'000'000'000,
                                   .concurrency = 100'000,
                                   .budget_day_nano_usd = 500'000'000,
                                   .budget_month_nano_usd = 1'000'000'000'000'000}) ==
              R"(,"tokenLimit":1000000000,"concurrency":100000,"budget":{"day":0.5,"month":1000000})");
    }

    TEST_CASE("what was written is read") {
        const storage::key_spend_limits limits{.tokens_per_minute = 1,
                                               .concurrency = 3,
                                               .budget_day_nano_usd = 12'345'678'910,
                                               .budget_month_nano_usd = 20'000'000'000};
        const std::string text = "{\"x\":1" + spend_limit_members(limits) + "}";
        const auto fields = json_members::parse(text);
        REQUIRE(fields.has_value());
        CHECK(read_spend_limits(*fields) == limits);
    }

    TEST_CASE("amounts of USD are exact, within bounds, and written plainly") {
        struct row {
            const char* text;
            std::int64_t nano;
        };
        for (const row& r : {row{"25", 25'000'000'000}, row{"0.5", 500'000'000}, row{"0.00000001", 10},
                             row{"1000000", 1'000'000'000'000'000}, row{"1000000.00000000", 1'000'000'000'000'000},
                             row{"12.34567891", 12'345'678'910}}) {
            CAPTURE(r.text);
            CHECK(parse_budget_usd(r.text) == r.nano);
        }
        for (const char* text : {"", "0", "0.0", "-1", "+1", "1.", ".5", "1e3", "1.5.2", "0.000000001",
                                 "1000000.00000001", "1000001", "99999999999999999999", " 1", "1 ", "\"5\"", "NaN"}) {
            CAPTURE(text);
            CHECK_FALSE(parse_budget_usd(text).has_value());
        }
    }
}
