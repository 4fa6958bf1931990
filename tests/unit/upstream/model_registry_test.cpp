#include "upstream/model_registry.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

using namespace concurred;
using namespace concurred::upstream;

namespace {

/// The built-in providers, those in `on` with a key.
base::config config_with(const std::vector<std::string>& on = {}) {
    base::config config;
    for (const char* name : {"openai", "anthropic", "google", "x-ai", "openrouter", "minimax"}) {
        config.providers[name].base_url = "https://example.invalid";
    }
    for (const std::string& name : on) {
        config.providers[name].api_key = "key";
    }
    return config;
}

model_registry registry_of(const base::config& config) {
    auto made = make_model_registry(config);
    if (const auto* problems = std::get_if<std::vector<model_problem>>(&made)) {
        for (const model_problem& p : *problems) {
            FAIL_CHECK(p.key, ": ", p.message);
        }
        return std::get<model_registry>(make_model_registry(config_with()));
    }
    return std::get<model_registry>(std::move(made));
}

std::string problems_of(const base::config& config) {
    const auto made = make_model_registry(config);
    std::string text;
    if (const auto* problems = std::get_if<std::vector<model_problem>>(&made)) {
        for (const model_problem& p : *problems) {
            text += p.key + ": " + p.message + "\n";
        }
    }
    return text;
}

/// "provider model upstream_model", or "-".
std::string route(const model_registry& registry, std::string_view requested) {
    const auto target = registry.resolve(requested);
    return target ? std::string(target->provider) + " " + std::string(target->model) + " " +
                        std::string(target->upstream_model)
                  : "-";
}

}  // namespace

TEST_SUITE("upstream/model_registry") {
    TEST_CASE("aliases, ids and provider/model lead to their targets") {
        const model_registry registry = registry_of(config_with({"openai", "openrouter"}));
        const std::pair<std::string_view, std::string_view> rows[] = {
            {"claude", "anthropic claude-sonnet-4-5-20250929 claude-sonnet-4-5-20250929"},
            {"gpt", "openai gpt-5.2 gpt-5.2"},
            {"gemini", "google gemini-3-pro-preview gemini-3-pro-preview"},
            {"grok", "x-ai grok-4-1-fast grok-4-1-fast"},
            {"deepseek", "openrouter deepseek/deepseek-v3.2 deepseek/deepseek-v3.2"},
            {"minimax", "minimax MiniMax-M2.7 MiniMax-M2.7"},
            {"claude-haiku-4-5", "anthropic claude-haiku-4-5 claude-haiku-4-5"},
            {"deepseek/deepseek-v3.2", "openrouter deepseek/deepseek-v3.2 deepseek/deepseek-v3.2"},
            {"openrouter/deepseek/deepseek-v3.2", "openrouter deepseek/deepseek-v3.2 deepseek/deepseek-v3.2"},
            {"openai/gpt-5.2", "openai gpt-5.2 gpt-5.2"},
            {"openai/gpt", "openai gpt-5.2 gpt-5.2"},
            {"openai/gpt-4o-2024-08-06", "openai openai/gpt-4o-2024-08-06 gpt-4o-2024-08-06"},
            {"openrouter/mistralai/devstral:free",
             "openrouter openrouter/mistralai/devstral:free mistralai/devstral:free"},
            {"google/claude", "google google/claude claude"},  // not Google's alias: taken as Google's own name
            {"openai/gpt-oss-120b", "openrouter openai/gpt-oss-120b openai/gpt-oss-120b"},
            {"GPT", "-"},
            {"gpt-5.2 ", "-"},
            {"", "-"},
            {"/", "-"},
            {"openai/", "-"},
            {"/gpt-5.2", "-"},
            {"unknown/gpt-5.2", "-"},
            {"mistralai/devstral", "-"},
        };
        for (const auto& [requested, target] : rows) {
            CAPTURE(requested);
            CHECK(route(registry, requested) == target);
        }
    }

    TEST_CASE("asking for a resolved id gives the same target again") {
        const model_registry registry = registry_of(config_with({"openai", "anthropic"}));
        std::vector<std::string> names = {"openai/other", "openrouter/a/b:free"};
        for (const registered_alias& a : registry.aliases()) {
            names.push_back(a.alias);
        }
        for (const registered_model& m : registry.models()) {
            names.push_back(m.id);
            names.push_back(m.provider + "/" + m.id);
        }
        for (const std::string& name : names) {
            CAPTURE(name);
            const auto first = registry.resolve(name);
            REQUIRE(first.has_value());
            CHECK(route(registry, first->model) == route(registry, name));
        }
    }

    TEST_CASE("a target carries price and limits; without a catalogue entry it is unpriced") {
        const model_registry registry = registry_of(config_with());
        const auto gpt = registry.resolve("gpt");
        REQUIRE(gpt.has_value());
        REQUIRE(gpt->price != nullptr);
        CHECK(gpt->price->input == 1'750'000);
        CHECK(gpt->price->output == 14'000'000);
        CHECK(gpt->price->cached_input == 175'000);
        CHECK(gpt->context_window == 400'000);
        CHECK(gpt->max_output_tokens == 128'000);
        const auto other = registry.resolve("openai/some-new-model");
        REQUIRE(other.has_value());
        CHECK(other->price == nullptr);
        CHECK(other->context_window == 0);
    }

    TEST_CASE("a release of Anthropic's by its day costs what the model costs") {
        const model_registry registry = registry_of(config_with());
        const auto dated = registry.resolve("claude-haiku-4-5-20251001");
        REQUIRE(dated.has_value());
        CHECK(dated->provider == "anthropic");
        CHECK(dated->upstream_model == "claude-haiku-4-5-20251001");
        CHECK(dated->model == "claude-haiku-4-5-20251001");
        CHECK(dated->price == registry.resolve("claude-haiku-4-5")->price);
        for (const char* name :
             {"claude-haiku-4-5-2025100x", "claude-nothing-20251001", "gpt-5-mini-20251001", "-20251001"}) {
            CHECK(registry.resolve(name).has_error());
        }
    }

    TEST_CASE("names that could leave their place in a path or a body are not passed on") {
        const model_registry registry = registry_of(config_with());
        for (const std::string_view rest :
             {"../keys", "a/../b", "a//b", "a/", "./a", "a?b", "a#b", "a b", "a\"b", "a%2e", "a\nb", "\xC3\xBC"}) {
            CAPTURE(rest);
            CHECK(registry.resolve("google/" + std::string(rest)).has_error());
        }
        CHECK(registry.resolve("google/" + std::string(97, 'a')).has_error());
        CHECK(registry.resolve("google/" + std::string(96, 'a')).has_value());
    }

    TEST_CASE("an unknown model is refused with similar names") {
        const model_registry registry = registry_of(config_with());
        const auto outcome = registry.resolve("gpt-5.22");
        REQUIRE(outcome.has_error());
        const base::error& e = outcome.error();
        CHECK(e.code == base::errc::invalid_model);
        CHECK(e.source == base::error_source::client);
        CHECK(e.param == "model");
        CHECK(e.message ==
              "The model 'gpt-5.22' does not exist. Did you mean 'gpt-5.2', 'gpt-5.1' or 'gpt-5.4'? "
              "GET /api/v1/models lists all models.");
        CHECK(e.details == R"({"model":"gpt-5.22"})");
        CHECK(registry.resolve("nothing like any of them at all").error().message ==
              "The model 'nothing like any of them at all' does not exist. GET /api/v1/models lists all models.");
    }

    TEST_CASE("a name that is long or not text is cut and made safe in the error") {
        const model_registry registry = registry_of(config_with());
        const std::string name = std::string(199, 'x') + "\xC3\xBC" + std::string(100'000, 'y');
        const auto outcome = registry.resolve(name);
        REQUIRE(outcome.has_error());
        CHECK(outcome.error().details == "{\"model\":\"" + std::string(199, 'x') + "\"}");
        CHECK(outcome.error().message.size() < 300);
        CHECK(registry.resolve("a\"\\\n\xFF").error().details == "{\"model\":\"a\\\"\\\\\\n\xEF\xBF\xBD\"}");
    }

    TEST_CASE("auto stands for the first family whose provider has a key") {
        const std::pair<std::vector<std::string>, std::string_view> rows[] = {
            {{}, "gpt-5.2"},
            {{"openai", "anthropic"}, "gpt-5.2"},
            {{"x-ai", "anthropic"}, "claude-sonnet-4-5-20250929"},
            {{"google", "x-ai"}, "gemini-3-pro-preview"},
            {{"x-ai"}, "grok-4-1-fast"},
            {{"openrouter", "minimax"}, "deepseek/deepseek-v3.2"},
            {{"minimax"}, "MiniMax-M2.7"},
        };
        for (const auto& [on, model] : rows) {
            CHECK(registry_of(config_with(on)).resolve("auto")->model == model);
        }
    }

    TEST_CASE("an OpenRouter slug goes to the provider it names when only that one is on") {
        const std::pair<std::vector<std::string>, std::string_view> rows[] = {
            {{}, "openrouter anthropic/claude-opus-5 anthropic/claude-opus-5"},
            {{"openrouter"}, "openrouter anthropic/claude-opus-5 anthropic/claude-opus-5"},
            {{"openrouter", "anthropic"}, "openrouter anthropic/claude-opus-5 anthropic/claude-opus-5"},
            {{"anthropic"}, "anthropic claude-opus-5 claude-opus-5"},
        };
        for (const auto& [on, target] : rows) {
            CHECK(route(registry_of(config_with(on)), "anthropic/claude-opus-5") == target);
        }
        // OpenAI itself does not have this one.
        CHECK(route(registry_of(config_with({"openai"})), "openai/gpt-oss-120b") ==
              "openrouter openai/gpt-oss-120b openai/gpt-oss-120b");
    }

    TEST_CASE("the configuration changes models and adds models and aliases") {
        base::config config = config_with({"openai"});
        config.providers["local"].base_url = "http://127.0.0.1:8000/v1";
        config.models["gpt-5.2"].input_price = 1;
        config.models["claude-opus-5"].input_price = 10;
        config.models["claude-opus-5"].max_output_tokens = 1000;
        config.models["llama-8b"].provider = "local";
        config.models["llama-8b"].upstream_model = "meta/Llama-8B";
        config.models["llama-8b"].input_price = 0.05;
        config.models["llama-8b"].output_price = 0.1;
        config.models["free"].provider = "local";
        config.models["gpt"].target = "gpt-5.4";
        config.models["fast"].target = "llama";
        config.models["llama"].target = "llama-8b";
        config.models["gpt-4o"].target = "gpt";  // a model that is gone
        config.models["new"].target = "openai/gpt-7";
        config.models["new2"].target = "openai/gpt-7";
        config.models["slug"].target = "openrouter/deepseek/deepseek-v3.2";
        config.models["mine"].target = "auto";
        const model_registry registry = registry_of(config);

        CHECK(registry.resolve("gpt-5.2")->price->input == 1'000'000);
        CHECK(registry.resolve("gpt-5.2")->price->output == 14'000'000);
        CHECK(registry.resolve("gpt-5.2")->price->cached_input == 175'000);
        CHECK(registry.resolve("claude-opus-5")->price->cache_write == 12'500'000);  // still 1.25 x input
        CHECK(registry.resolve("claude-opus-5")->max_output_tokens == 1000);
        CHECK(route(registry, "llama-8b") == "local llama-8b meta/Llama-8B");
        CHECK(registry.resolve("llama-8b")->price->input == 50'000);
        CHECK(route(registry, "local/llama-8b") == "local llama-8b meta/Llama-8B");
        CHECK(registry.resolve("free")->price == nullptr);
        CHECK(registry.resolve("gpt")->model == "gpt-5.4");
        CHECK(registry.resolve("fast")->model == "llama-8b");
        CHECK(registry.resolve("llama")->model == "llama-8b");
        CHECK(registry.resolve("gpt-4o")->model == "gpt-5.4");
        CHECK(route(registry, "new") == "openai openai/gpt-7 gpt-7");
        CHECK(route(registry, "new2") == route(registry, "openai/gpt-7"));
        CHECK(registry.resolve("slug")->model == "deepseek/deepseek-v3.2");
        CHECK(registry.resolve("mine")->model == "gpt-5.4");
        CHECK(registry.resolve("auto")->model == "gpt-5.4");
    }

    TEST_CASE("what the configuration cannot mean is refused, all at once") {
        base::config config = config_with();
        config.models["a"].target = "b";
        config.models["b"].target = "a";
        config.models["c"].target = "gpt-5.22";
        config.models["d"].target = "c";
        config.models["e"].target = "gpt";
        config.models["e"].input_price = 1;
        config.models["f"].provider = "opanai";
        config.models["gpt"].input_price = 1;
        config.models["gpt-5.3"].context_window = 1;
        config.models["h"].provider = "openai";
        config.models["h"].input_price = 1;
        config.models["i"].provider = "google";
        config.models["i"].upstream_model = "../x";
        config.models["auto"].target = "nowhere/at-all";
        CHECK(problems_of(config) ==
              "models.e: has target and other keys, allowed: target alone (an alias) or none (a model)\n"
              "models.f.provider: is no configured provider, did you mean 'openai'?\n"
              "models.gpt: is an alias of 'gpt-5.2': change that model, or give target or provider\n"
              "models.\"gpt-5.3\": is no known model: give target (an alias) or provider (a model of your own), did "
              "you mean "
              "'gpt-5.5', 'gpt-5.4' or 'gpt-5.2'?\n"
              "models.h: needs both input_price and output_price, or none (its use is counted as unpriced then)\n"
              "models.i.upstream_model: is not 1 to 96 letters, digits and -._:/@+=;,~ (it is the name if not given)\n"
              "models.a.target: leads in a circle\n"
              "models.auto.target: is no known model or alias\n"
              "models.b.target: leads in a circle\n"
              "models.c.target: is no known model or alias, did you mean 'gpt-5.2', 'gpt-5.5' or 'gpt-5.4'?\n");
    }

    TEST_CASE("a registry keeps its answers when it is moved") {
        model_registry first = registry_of(config_with());
        const model_registry second = std::move(first);
        for (const registered_model& m : second.models()) {
            CHECK(second.resolve(m.id)->model == m.id);
        }
        CHECK(second.resolve("o3")->model == "o3");  // short enough to be stored inside the string object
    }
}
