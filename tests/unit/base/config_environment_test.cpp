#include "gateway/base/config_keys.hpp"
#include "tests/unit/base/config_fixture.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <string_view>

using namespace concurred::base;

TEST_SUITE("base/config_environment") {
    TEST_CASE("every key has a variable of its own that leads back to it") {
        config values = default_config();
        values.models["a/b"] = {};
        std::set<std::string> names;
        for (const config_key& key : keys_of(values)) {
            const std::string name = environment_name(key.path);
            CAPTURE(name);
            CHECK(names.insert(name).second);
            const key_lookup found = find_environment_key(values, name);
            REQUIRE(found.key.has_value());
            CHECK(found.key->path == key.path);
            CHECK(found.key->slot == key.slot);
            CHECK(parse_dotted(dotted(key.path)) == key.path);
        }
        CHECK(names.contains("CONCURRED__SERVER__LISTEN"));
        CHECK(names.contains("CONCURRED__PROVIDERS__X_AI__BASE_URL"));
        CHECK(names.contains("CONCURRED__LIMITS__PATHS__API_V1_CHAT_COMPLETIONS"));
        CHECK(names.contains("CONCURRED__MODELS__A_B__TARGET"));
    }

    TEST_CASE_FIXTURE(config_fixture, "names from the file are found with '-', '.', '/' and '_' being equal") {
        environment = {{"CONCURRED__PROVIDERS__MY_V1_LLM__TOTAL_TIMEOUT", "5s"},
                       {"CONCURRED__MODELS__Local_Llama__TARGET", "gpt"},
                       {"CONCURRED__LIMITS__PATHS__API_CHAT", "11"},
                       {"CONCURRED__LIMITS__IDLE_TIMEOUT", "7"}};
        const loaded_config loaded = good(
            "[providers.\"my-v1.llm\"]\nbase_url = \"https://a.b\"\n"
            "[models.\"local/llama\"]\ntarget = \"x\"\n");
        CHECK(loaded.values->limits.paths.at("/api/chat") == 11);
        CHECK(loaded.values->limits.idle_timeout == std::chrono::seconds(7));
        CHECK(loaded.values->models.at("local/llama").target == "gpt");
    }

    TEST_CASE_FIXTURE(config_fixture, "a new provider and a new model can be made from variables alone") {
        environment = {{"CONCURRED__PROVIDERS__MINE__BASE_URL", "http://127.0.0.1:1/v1"},
                       {"CONCURRED__PROVIDERS__MINE__API_KEY", "k"},
                       {"CONCURRED__MODELS__FAST__TARGET", "gpt-5-mini"}};
        const loaded_config loaded = good("");
        CHECK(loaded.values->providers.at("mine").base_url == "http://127.0.0.1:1/v1");
        CHECK(loaded.values->providers.at("mine").api_key == "k");
        CHECK(loaded.values->models.at("fast").target == "gpt-5-mini");
    }

    TEST_CASE_FIXTURE(config_fixture, "a variable that names no key is an error with a suggestion") {
        struct row {
            const char* name;
            std::string_view fault;
        };
        const row rows[] = {
            {"CONCURRED__SERVER__LISTN", "names no key, did you mean 'CONCURRED__SERVER__LISTEN'?"},
            {"CONCURRED__SERVER_LISTEN", "names no key, did you mean 'CONCURRED__SERVER__LISTEN'?"},
            {"CONCURRED__PROVIDERS__MINE__BASEURL",
             "names no key, did you mean 'CONCURRED__PROVIDERS__MINE__BASE_URL'?"},
            {"CONCURRED__PROVIDERS__OPENAI__API_KYE",
             "names no key, did you mean 'CONCURRED__PROVIDERS__OPENAI__API_KEY'?"},
            {"CONCURRED__WHATEVER__THIS_MAY_HAVE_BEEN__ONCE",
             "names no key of the configuration; print-config lists them all"},
        };
        for (const row& r : rows) {
            CAPTURE(r.name);
            environment = {{r.name, "x"}};
            CHECK(faults("") == "environment " + std::string(r.name) + ": " + std::string(r.fault) + "\n");
        }
        environment = {{"CONCURRED__PROVIDERS__MINE__API_KEY", "k"}};
        CHECK(faults("").starts_with(
            "environment CONCURRED__PROVIDERS__MINE__API_KEY: providers.mine.base_url: is missing"));
    }

    TEST_CASE_FIXTURE(config_fixture, "variables of others are not looked at") {
        environment = {{"CONCURRED_SHARED", "x"}, {"CONCURRED", "x"}, {"PATH", "x"}, {"OPENAI_API_KEY", ""}};
        CHECK(faults("") == "");
    }

    TEST_CASE_FIXTURE(config_fixture, "texts are read as the type of their key") {
        struct row {
            const char* name;
            const char* value;
            bool good;
        };
        const row rows[] = {
            {"CONCURRED__SERVER__SHARDS", "4", true},
            {"CONCURRED__SERVER__SHARDS", "", false},
            {"CONCURRED__SERVER__SHARDS", " 4", false},
            {"CONCURRED__SERVER__SHARDS", "4x", false},
            {"CONCURRED__SERVER__SHARDS", "-4", false},
            {"CONCURRED__SERVER__SHARDS", "99999999999999999999", false},
            {"CONCURRED__LOG__ACCESS", "true", true},
            {"CONCURRED__LOG__ACCESS", "TRUE", false},
            {"CONCURRED__LIMITS__BODY_BYTES", "1MiB", true},
            {"CONCURRED__LIMITS__BODY_BYTES", "4096", true},
            {"CONCURRED__LIMITS__BODY_BYTES", "1MB", false},
            {"CONCURRED__LIMITS__BODY_BYTES", "18446744073709551615GiB", false},
            {"CONCURRED__LIMITS__DRAIN_TIMEOUT", "1h", true},
            {"CONCURRED__LIMITS__DRAIN_TIMEOUT", "1.5h", false},
            {"CONCURRED__LIMITS__DRAIN_TIMEOUT", "1d", false},
            {"CONCURRED__LIMITS__DRAIN_TIMEOUT", "s", false},
            {"CONCURRED__SERVER__LISTEN", "localhost:1", true},
            {"CONCURRED__SERVER__LISTEN", "127.0.0.1", false},
            {"CONCURRED__SERVER__LISTEN", "127.0.0.1:", false},
            {"CONCURRED__SERVER__LISTEN", "127.0.0.1:65536", false},
            {"CONCURRED__SERVER__LISTEN", "300.0.0.1:1", false},
            {"CONCURRED__SERVER__LISTEN", "::1:8080", false},
            {"CONCURRED__SERVER__LISTEN", "[::1]", false},
            {"CONCURRED__SERVER__LISTEN", "[127.0.0.1]:80", false},
            {"CONCURRED__SERVER__LISTEN", "[]:80", false},
            {"CONCURRED__MODELS__X__INPUT_PRICE", "0.25", true},
            {"CONCURRED__MODELS__X__INPUT_PRICE", "", false},
            {"CONCURRED__MODELS__X__INPUT_PRICE", "1,5", false},
            {"CONCURRED__MODELS__X__CONTEXT_WINDOW", "0", false},
        };
        for (const row& r : rows) {
            CAPTURE(r.name);
            CAPTURE(r.value);
            environment = {{r.name, r.value}};
            CHECK(faults("").empty() == r.good);
        }
    }
}
