#include "bench/mock_answer_cache.hpp"

#include <algorithm>
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

mock_answer_cache::mock_answer_cache(std::string_view defaults, std::string base_url) : base_url_(std::move(base_url)) {
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
    made->spared = made->settings.without_faults();
    return *recipes_.emplace(key_, std::move(made)).first->second;
}

mock_answer_lease mock_answer_cache::answer(const mock_dialect& dialect, mock_recipe& recipe,
                                            const mock_settings& settings, const mock_order& order,
                                            std::string_view echo) {
    auto& answers = recipe.answers;
    // An echo differs with every request, and a date must be computed anew.
    if (settings.echo || settings.retry_after_date != mock_settings::never) {
        std::erase_if(answers, unused);
        answers.push_back(make_mock_answer(dialect, settings, order, recipe.model, echo, base_url_));
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
    answers.push_back(make_mock_answer(dialect, settings, order, recipe.model, echo, base_url_));
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
