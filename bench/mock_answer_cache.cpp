#include "bench/mock_answer_cache.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace concurred::bench {
namespace {

constexpr std::size_t recipe_limit = 4096;
constexpr std::size_t answer_limit = 64;

bool unused(const std::unique_ptr<mock_answer>& answer) noexcept {
    return answer->users == 0;
}

}  // namespace

const mock_settings& mock_recipe::next() noexcept {
    ++seen;
    const bool faulty = seen % settings.every == 0 && (settings.times == 0 || hit < settings.times);
    hit += faulty ? 1U : 0U;
    return faulty ? settings : spared;
}

mock_answer_cache::mock_answer_cache(std::string_view defaults, const mock_traces& traces, std::string base_url)
    : traces_(traces), base_url_(std::move(base_url)) {
    // Whoever starts the server has checked the text.
    static_cast<void>(apply_mock_spec(defaults, defaults_));
}

mock_recipe& mock_answer_cache::recipe(const mock_dialect& dialect, std::string_view header, std::string_view key,
                                       std::string_view model) {
    const std::string_view key_spec = spec_in_key(key);
    const auto* which = &dialect;
    key_.assign(reinterpret_cast<const char*>(&which), sizeof which);
    key_.append(header).append(1, '\0').append(key_spec).append(1, '\0').append(model);
    const auto found = recipes_.find(std::string_view(key_));
    if (found != recipes_.end()) {
        return *found->second;
    }
    if (recipes_.size() >= recipe_limit) {
        clear();
    }
    auto made = std::make_unique<mock_recipe>();
    made->model = model;
    made->settings = defaults_;
    for (const std::string_view spec : {header, key_spec, spec_in_model(model)}) {
        if (!made->wrong) {
            made->wrong = apply_mock_spec(spec, made->settings);
        }
    }
    made->dialect = &dialect;
    if (!made->wrong && !made->settings.flavour.empty()) {
        choose_flavour(*made);
    }
    if (!made->wrong && !made->settings.trace.empty()) {
        const auto trace = traces_.find(made->settings.trace);
        made->trace = trace == traces_.end() ? nullptr : &trace->second;
        made->wrong = trace == traces_.end() ? std::optional("mock setting 'trace' names no recording of --trace-file")
                                             : std::nullopt;
    }
    made->spared = made->settings.without_faults();
    return *recipes_.emplace(key_, std::move(made)).first->second;
}

/// The setting `flavour` changes who speaks Chat Completions, and nothing else.
void mock_answer_cache::choose_flavour(mock_recipe& recipe) {
    const std::array<const mock_dialect*, 4> flavours{&openai_mock_dialect(), &xai_mock_dialect(),
                                                      &openrouter_mock_dialect(), &minimax_mock_dialect()};
    const auto* chosen = std::ranges::find(flavours, recipe.settings.flavour, &mock_dialect::name);
    if (chosen == flavours.end()) {
        recipe.wrong = "mock setting 'flavour' is openai, x-ai, openrouter or minimax";
    } else if (std::ranges::find(flavours, recipe.dialect) != flavours.end()) {
        recipe.dialect = *chosen;
    }
}

mock_answer_lease mock_answer_cache::answer(mock_recipe& recipe, const mock_settings& settings, const mock_order& order,
                                            std::string_view echo) {
    auto& answers = recipe.answers;
    const mock_source source{recipe.dialect, &settings, recipe.trace, recipe.model, base_url_};
    // An echo differs with every request, and a date must be computed anew.
    if (settings.echo || settings.tool_echo || settings.retry_after_date != mock_settings::never) {
        std::erase_if(answers, unused);
        answers.push_back(make_mock_answer(source, order, echo));
        return mock_answer_lease(*answers.back());
    }
    const auto same = std::ranges::find_if(
        answers, [&](const auto& known) { return known->settings == &settings && known->order == order; });
    if (same != answers.end()) {
        return mock_answer_lease(**same);
    }
    if (answers.size() >= answer_limit) {
        std::erase_if(answers, unused);
    }
    answers.push_back(make_mock_answer(source, order, echo));
    return mock_answer_lease(*answers.back());
}

void mock_answer_cache::clear() {
    std::erase_if(recipes_, [](auto& entry) {
        std::erase_if(entry.second->answers, unused);
        entry.second->seen = entry.second->hit = 0;
        return entry.second->answers.empty();
    });
}

}  // namespace concurred::bench
