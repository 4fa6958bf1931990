#include "gateway/base/near_match.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace concurred::base;

TEST_SUITE("base/near_match") {
    TEST_CASE("the distance counts single changes and swaps of neighbours") {
        struct row {
            std::string_view a;
            std::string_view b;
            std::size_t distance;
        };
        const row rows[] = {
            {"", "", 0},       {"abc", "", 3},           {"listen", "listn", 1}, {"listen", "lsiten", 1},
            {"ABC", "abc", 0}, {"kitten", "sitting", 3}, {"gpt-5", "gpt5", 1},   {"ab", "ba", 1},
        };
        for (const row& r : rows) {
            CAPTURE(r.a);
            CAPTURE(r.b);
            CHECK(edit_distance(r.a, r.b) == r.distance);
            CHECK(edit_distance(r.b, r.a) == r.distance);
        }
    }

    TEST_CASE("long names are compared by their first bytes only") {
        const std::string a(100'000, 'a');
        CHECK(edit_distance(a, a + "b") == 0);
        CHECK(edit_distance(a, "") == near_match_bytes);
    }

    TEST_CASE("the nearest names come first, and only near ones come") {
        const std::vector<std::string_view> names = {"gpt-5.2", "gpt-5", "gpt-5-mini", "claude-opus-5", "gpt-4o"};
        CHECK(nearest("gpt5", names, 3) == std::vector<std::string_view>{"gpt-5"});
        CHECK(nearest("gpt-4", names, 2) == std::vector<std::string_view>{"gpt-5", "gpt-4o"});
        CHECK(nearest("gpt-5", names, 1) == std::vector<std::string_view>{"gpt-5"});
        CHECK(nearest("claude", names, 3) == std::vector<std::string_view>{"claude-opus-5"});
        CHECK(nearest("something else entirely", names, 3).empty());
        CHECK(nearest("", names, 3).empty());
    }

    TEST_CASE("the question reads like a sentence") {
        const std::vector<std::string_view> names = {"a", "b", "c"};
        CHECK(did_you_mean({}) == "");
        CHECK(did_you_mean(std::span(names).first(1)) == "did you mean 'a'?");
        CHECK(did_you_mean(std::span(names).first(2)) == "did you mean 'a' or 'b'?");
        CHECK(did_you_mean(names) == "did you mean 'a', 'b' or 'c'?");
    }
}
