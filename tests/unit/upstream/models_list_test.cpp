#include "upstream/models_list.hpp"

#include <doctest/doctest.h>
#include <boost/json.hpp>

#include <set>
#include <string>
#include <string_view>
#include <variant>

using namespace concurred;
using namespace concurred::upstream;

namespace {

model_registry example_registry() {
    base::config config;
    for (const char* name : {"openai", "anthropic", "google", "x-ai", "openrouter", "minimax", "local"}) {
        config.providers[name].base_url = "https://example.invalid";
    }
    config.models["my/model\"1"].provider = "local";
    config.models["my/model\"1"].upstream_model = "m1";
    config.models["quick"].target = "gpt-5-mini";
    return std::get<model_registry>(make_model_registry(config));
}

bool all(std::string_view) {
    return true;
}

}  // namespace

TEST_SUITE("upstream/models_list") {
    TEST_CASE("the list is OpenAI's, with every alias and every model once") {
        const model_registry registry = example_registry();
        const models_list models(registry, all);
        const boost::json::value json = boost::json::parse(models.list());
        CHECK(json.at("object") == "list");
        CHECK(json.as_object().size() == 2);
        std::set<std::string> ids;
        for (const boost::json::value& entry : json.at("data").as_array()) {
            const std::string id(entry.at("id").as_string());
            CAPTURE(id);
            CHECK(ids.insert(id).second);
            CHECK(entry.at("object") == "model");
            CHECK(entry.at("created").as_int64() == 1'795'305'600);  // 2026-11-22T00:00:00Z
            CHECK_FALSE(entry.at("owned_by").as_string().empty());
            CHECK(entry.as_object().size() == 10);
            const auto alone = models.find(id);
            REQUIRE(alone.has_value());
            CHECK(boost::json::parse(*alone) == entry);
        }
        CHECK(ids.size() == registry.models().size() + registry.aliases().size());
        for (const char* alias :
             {"claude", "gpt", "gemini", "grok", "deepseek", "mistral", "kimi", "llama", "minimax", "auto", "quick"}) {
            CHECK(ids.contains(alias));
        }
    }

    TEST_CASE("a model has its limits, prices and capabilities; an alias those of its model") {
        const models_list models(example_registry(), all);
        const auto entry = [&](std::string_view id) { return boost::json::parse(models.find(id).value_or("null")); };
        CHECK(entry("gpt-5.2") == boost::json::parse(R"({
            "id":"gpt-5.2","object":"model","created":1795305600,"owned_by":"openai","provider":"openai","alias_of":null,
            "context_window":400000,"max_output_tokens":128000,
            "pricing":{"prompt":"0.00000175","completion":"0.000014","cached_prompt":"0.000000175"},
            "capabilities":{"streaming":true,"tools":true,"vision":true,"prompt_caching":true}})"));
        CHECK(entry("gpt").at("alias_of") == "gpt-5.2");
        CHECK(entry("gpt").at("pricing") == entry("gpt-5.2").at("pricing"));
        CHECK(entry("claude").at("pricing").at("cache_write") == "0.00000375");
        CHECK(entry("deepseek").at("owned_by") == "deepseek");
        CHECK(entry("deepseek").at("provider") == "openrouter");
        CHECK(entry("deepseek").at("pricing").at("prompt") == "0.0000002288");
        CHECK(entry("grok").at("max_output_tokens").is_null());
        CHECK(entry("my/model\"1").at("pricing").is_null());
        CHECK(entry("my/model\"1").at("owned_by") == "local");
        CHECK(entry("my/model\"1").at("context_window").is_null());
    }

    TEST_CASE("only models of available providers are listed") {
        const models_list models(example_registry(), [](std::string_view provider) { return provider == "minimax"; });
        CHECK(models.find("MiniMax-M2.7").has_value());
        CHECK(models.find("minimax").has_value());
        CHECK_FALSE(models.find("gpt").has_value());
        CHECK_FALSE(models.find("auto").has_value());
        CHECK_FALSE(models.find("no such model").has_value());
        const boost::json::value json = boost::json::parse(models.list());
        for (const boost::json::value& entry : json.at("data").as_array()) {
            CHECK(entry.at("provider") == "minimax");
        }
        const models_list none(example_registry(), [](std::string_view) { return false; });
        CHECK(none.list() == R"({"object":"list","data":[]})");
    }

    TEST_CASE("prices are plain decimals of USD per token") {
        CHECK(usd_per_token(0) == "0");
        CHECK(usd_per_token(1) == "0.000000000001");
        CHECK(usd_per_token(3'625) == "0.000000003625");
        CHECK(usd_per_token(1'750'000) == "0.00000175");
        CHECK(usd_per_token(1'000'000'000'000) == "1");
        CHECK(usd_per_token(12'500'000'000'000) == "12.5");
    }
}
