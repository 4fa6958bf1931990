#include "upstream/catalogue.hpp"

#include <doctest/doctest.h>
#include <boost/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <string_view>

using namespace concurred::upstream;

namespace {

/// Models that the price list lacks, and the one whose figures they have; empty: figures of their own.
const std::map<std::string_view, std::string_view> additions = {
    {"claude-sonnet-4-5-20250929", "claude-sonnet-4-5"},
    {"gemini-3-pro-preview", "gemini-3.1-pro-preview"},
    {"grok-4-1-fast", "grok-4-1-fast-reasoning"},
    {"mistralai/mistral-large-2512", ""},
    {"text-embedding-3-small", ""},
    {"text-embedding-3-large", ""},
    {"text-embedding-ada-002", ""},
};

const catalogue_model* find(std::string_view id) {
    const auto models = catalogue_models();
    const auto found = std::find_if(models.begin(), models.end(), [&](const auto& m) { return m.id == id; });
    return found == models.end() ? nullptr : &*found;
}

std::filesystem::path price_list() {
    const char* shared = std::getenv("CONCURRED_SHARED");
    return std::filesystem::path(shared == nullptr ? "../shared" : shared) / "reference" / "model-prices.json";
}

/// A price of the list in pico-USD per token, checked to be a whole number of them.
std::uint64_t pico(const boost::json::value& usd_per_million) {
    const double exact = usd_per_million.to_number<double>() * 1e6;
    CHECK(std::abs(exact - std::round(exact)) < 1e-3);
    return static_cast<std::uint64_t>(std::llround(exact));
}

/// Claude, and GPT from 5.6 on, bill writes to the cache at 1.25 x input; the list says so only in prose.
bool bills_cache_writes(std::string_view id) {
    return id.starts_with("claude-") || id == "anthropic/claude-opus-5" || id.starts_with("gpt-5.6") ||
           id.starts_with("gpt-6");
}

}  // namespace

TEST_SUITE("upstream/catalogue") {
    TEST_CASE("every model of the price list is there with its figures, and no other but the known additions") {
        std::ifstream file(price_list(), std::ios::binary);
        if (!file) {
            MESSAGE("skipped: no price list at ", price_list().string());
            return;
        }
        const std::string text{std::istreambuf_iterator<char>(file), {}};
        const boost::json::value list = boost::json::parse(text);
        CHECK(list.as_array().size() + additions.size() == catalogue_models().size());
        for (const boost::json::value& entry : list.as_array()) {
            const std::string id(entry.at("id").as_string());
            CAPTURE(id);
            const catalogue_model* model = find(id);
            REQUIRE(model != nullptr);
            CHECK(model->provider == std::string(entry.at("provider").as_string()));
            CHECK(model->context_window == entry.at("context_window").as_int64());
            const boost::json::value& output = entry.at("max_output_tokens");
            CHECK(model->max_output_tokens == (output.is_null() ? 0 : output.as_int64()));
            CHECK(model->price.input == pico(entry.at("input_per_mtok")));
            CHECK(model->price.output == pico(entry.at("output_per_mtok")));
            const boost::json::value& cached = entry.at("cached_input_per_mtok");
            CHECK(model->price.cached_input.has_value() == !cached.is_null());
            if (model->price.cached_input && !cached.is_null()) {
                CHECK(*model->price.cached_input == pico(cached));
            }
        }
    }

    TEST_CASE("writes to the cache cost 1.25 x input where the provider bills them") {
        for (const catalogue_model& model : catalogue_models()) {
            CAPTURE(model.id);
            CHECK(model.price.cache_write.has_value() == bills_cache_writes(model.id));
            if (model.price.cache_write) {
                CHECK(*model.price.cache_write * 4 == model.price.input * 5);
            }
        }
    }

    TEST_CASE("additions to the price list have the figures of the model they name") {
        for (const auto& [id, like] : additions) {
            CAPTURE(id);
            const catalogue_model* model = find(id);
            REQUIRE(model != nullptr);
            if (const catalogue_model* other = find(like)) {
                CHECK(model->provider == other->provider);
                CHECK(model->context_window == other->context_window);
                CHECK(model->max_output_tokens == other->max_output_tokens);
                CHECK(model->price == other->price);
            }
        }
        const catalogue_model* mistral = find("mistralai/mistral-large-2512");
        REQUIRE(mistral != nullptr);
        CHECK(mistral->price.input == 500'000);
        CHECK(mistral->price.output == 1'500'000);
        // OpenAI's price page: 0.02, 0.13 and 0.10 USD per million tokens.
        CHECK(find("text-embedding-3-small")->price.input == 20'000);
        CHECK(find("text-embedding-3-large")->price.input == 130'000);
        CHECK(find("text-embedding-ada-002")->price.input == 100'000);
    }

    TEST_CASE("prices below a nano-USD per token are exact") {
        CHECK(find("deepseek/deepseek-v3.2")->price.input == 228'800);         // 0.2288 USD per million
        CHECK(find("deepseek/deepseek-v4-pro")->price.cached_input == 3'625);  // 0.003625 USD per million
    }

    TEST_CASE("ids and aliases are unique, and aliases lead to models") {
        std::set<std::string_view> names;
        for (const catalogue_model& model : catalogue_models()) {
            CAPTURE(model.id);
            CHECK(names.insert(model.id).second);
            CHECK(model.context_window > 0);
            CHECK(model.price.input > 0);
            CHECK((model.price.output > 0) == (model.input != model_input::text_to_vector));
        }
        for (const catalogue_alias& alias : catalogue_aliases()) {
            CAPTURE(alias.alias);
            CHECK(names.insert(alias.alias).second);
            CHECK(find(alias.model) != nullptr);
        }
    }

    TEST_CASE("the documented aliases have their documented targets") {
        const std::map<std::string_view, std::pair<std::string_view, std::string_view>> documented = {
            {"claude", {"claude-sonnet-4-5-20250929", "anthropic"}}, {"gpt", {"gpt-5.2", "openai"}},
            {"gemini", {"gemini-3-pro-preview", "google"}},          {"grok", {"grok-4-1-fast", "x-ai"}},
            {"deepseek", {"deepseek/deepseek-v3.2", "openrouter"}},  {"minimax", {"MiniMax-M2.7", "minimax"}},
        };
        std::size_t seen = 0;
        for (const catalogue_alias& alias : catalogue_aliases()) {
            const auto expected = documented.find(alias.alias);
            if (expected == documented.end()) {
                CHECK(find(alias.model)->provider == "openrouter");
                continue;
            }
            ++seen;
            CHECK(alias.model == expected->second.first);
            CHECK(find(alias.model)->provider == expected->second.second);
        }
        CHECK(seen == documented.size());
    }
}
