#include "upstream/json_usage.hpp"

#include "tests/support/fixture_files.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>

using namespace concurred;
using upstream::json_usage_scanner;

namespace {

std::optional<base::token_counts> scan(std::string_view text, std::size_t step) {
    json_usage_scanner scanner;
    for (std::size_t at = 0; at < text.size(); at += step) {
        scanner.feed(text.substr(at, step));
    }
    return scanner.usage();
}

}  // namespace

TEST_SUITE("upstream/json_usage") {
    TEST_CASE("the figures of whole answers are found at every cut") {
        struct row {
            const char* file;
            std::uint64_t input;
            std::uint64_t output;
            std::uint64_t reasoning;
        };
        const row rows[] = {
            {"openai/tool-call.json", 102, 118, 64},
            {"openrouter/text-thinking.json", 1044, 61, 44},
            {"minimax/text-think-tag.json", 139 - 87, 87, 61},
            {"minimax/error-balance.json", 0, 0, 0},  // zeros mean nothing
        };
        for (const row& r : rows) {
            const std::string text = test::fixture(r.file);
            for (std::size_t step = 1; step <= text.size(); ++step) {
                INFO(r.file << " / " << step);
                const auto usage = scan(text, step);
                REQUIRE(usage.has_value() == (r.input != 0));
                if (usage) {
                    REQUIRE(usage->input() == r.input);
                    REQUIRE(usage->output() == r.output);
                    REQUIRE(usage->reasoning == r.reasoning);
                }
            }
        }
    }

    TEST_CASE("text that looks like usage is none") {  // reliability I-13
        const std::string text =
            R"({"choices":[{"message":{"content":"say \"usage\":{\"prompt_tokens\":9,\"completion_tokens\":9}"}},)"
            R"({"message":{"content":"usage"}}],"note":"usage","x":["usage"],"usage" : )"
            "\n"
            R"({"prompt_tokens":1,"completion_tokens":2,"x":"}\"{"}})";
        for (std::size_t step = 1; step <= text.size(); ++step) {
            const auto usage = scan(text, step);
            REQUIRE(usage.has_value());
            CHECK(usage->prompt == 1);
            CHECK(usage->completion == 2);
        }
    }

    TEST_CASE("the last valid figures count") {  // reliability U-27
        const std::string text =
            R"({"usage":null,"usage":{"prompt_tokens":1},"usage":{"prompt_tokens":2},"usage":{"prompt_tokens":-3},"usage":7})";
        for (std::size_t step = 1; step <= text.size(); ++step) {
            const auto usage = scan(text, step);
            REQUIRE(usage.has_value());
            CHECK(usage->prompt == 2);
        }
    }

    TEST_CASE("objects up to the limit are read, longer ones passed over") {
        const std::string begin = R"({"prompt_tokens":3,"x":")";
        for (const std::size_t size : {json_usage_scanner::max_object, json_usage_scanner::max_object + 1}) {
            const std::string object = begin + std::string(size - begin.size() - 2, 'x') + "\"}";
            REQUIRE(object.size() == size);
            const std::string text = R"({"usage":{"prompt_tokens":2},"usage":)" + object + "}";
            for (const std::size_t step : {std::size_t{1}, std::size_t{7}, std::size_t{4096}, text.size()}) {
                const auto usage = scan(text, step);
                REQUIRE(usage.has_value());
                CHECK(usage->prompt == (size == json_usage_scanner::max_object ? 3 : 2));
            }
        }
    }

    TEST_CASE("an answer that is cut off or no JSON has no figures") {
        for (const char* text :
             {"", "<html>", "{\"usage\":{\"prompt_tokens\":1", "\"usage\"", "{\"usage\":", "\"usage\":{}"}) {
            CHECK_FALSE(scan(text, 3).has_value());
        }
    }

    TEST_CASE("a scanner can be used again") {
        json_usage_scanner scanner;
        scanner.feed(R"({"usage":{"prompt_tokens":1},"usage":{"pro)");
        scanner.reset();
        CHECK_FALSE(scanner.usage().has_value());
        scanner.feed(R"({"usage":{"prompt_tokens":4}})");
        REQUIRE(scanner.usage().has_value());
        CHECK(scanner.usage()->prompt == 4);
    }
}
