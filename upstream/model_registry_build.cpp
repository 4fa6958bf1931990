#include "gateway/base/config_keys.hpp"
#include "gateway/base/near_match.hpp"
#include "upstream/model_registry.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <utility>

namespace concurred::upstream {

namespace {

/// What `auto` tries, from the front. The family that needs no translation comes first.
constexpr std::string_view auto_order[] = {"gpt",     "claude", "gemini", "grok",   "deepseek",
                                           "mistral", "kimi",   "llama",  "minimax"};

bool has_price(const base::model_config& m) {
    return m.input_price || m.cached_input_price || m.output_price;
}

bool has_more_than_target(const base::model_config& m) {
    return m.provider || m.upstream_model || m.context_window || m.max_output_tokens || has_price(m);
}

/// Catalogue prices with those of the configuration in their place.
model_price changed(model_price price, const base::model_config& m) {
    if (m.input_price) {
        const std::uint64_t before = std::exchange(price.input, price_from_usd_per_million(*m.input_price));
        if (price.cache_write && before != 0) {
            // Providers price a cache write as a multiple of the input: keep the ratio.
            const double ratio = static_cast<double>(*price.cache_write) / static_cast<double>(before);
            price.cache_write = static_cast<std::uint64_t>(std::llround(static_cast<double>(price.input) * ratio));
        }
    }
    if (m.cached_input_price) {
        price.cached_input = price_from_usd_per_million(*m.cached_input_price);
    }
    if (m.output_price) {
        price.output = price_from_usd_per_million(*m.output_price);
    }
    return price;
}

std::string question(std::string_view wanted, std::span<const std::string_view> names) {
    const std::string text = base::did_you_mean(base::nearest(wanted, names, 3));
    return text.empty() ? text : ", " + text;
}

}  // namespace

class registry_builder {
public:
    explicit registry_builder(const base::config& config) : config_(config) {
        for (const auto& [name, provider] : config.providers) {
            registry_.providers_.push_back(name);
        }
    }

    void add_catalogue() {
        for (const catalogue_model& m : catalogue_models()) {
            const auto changes = config_.models.find(std::string(m.id));
            if (changes == config_.models.end() || !changes->second.target) {  // else it becomes an alias
                registry_.models_.push_back({std::string(m.id), std::string(m.provider), std::string(m.id),
                                             m.context_window, m.max_output_tokens, m.input, m.price});
            }
        }
    }

    void add_configured() {
        for (const auto& [name, m] : config_.models) {
            if (m.target) {
                if (has_more_than_target(m)) {
                    problem(name, "", "has target and other keys, allowed: target alone (an alias) or none (a model)");
                }
            } else if (const std::size_t known = find(name); known != none) {
                change(registry_.models_[known], name, m);
            } else if (m.provider) {
                registered_model added;
                added.id = name;
                added.upstream_model = name;
                change(added, name, m);
                registry_.models_.push_back(std::move(added));
            } else {
                refuse_without_provider(name);
            }
        }
    }

    void add_aliases() {
        for (const catalogue_alias& a : catalogue_aliases()) {
            if (!config_.models.contains(std::string(a.alias))) {
                targets_.emplace(a.alias, a.model);
            }
        }
        for (const auto& [name, m] : config_.models) {
            if (m.target) {
                targets_[name] = *m.target;
                add_direct(name, *m.target);
            }
        }
        if (!config_.models.contains("auto")) {
            targets_["auto"] = choose_auto();
        }
        for (const catalogue_alias& a : catalogue_aliases()) {
            register_alias(std::string(a.alias));
        }
        register_alias("auto");
        for (const auto& [name, m] : config_.models) {
            if (m.target) {
                check_target(name, *m.target);
                register_alias(name);
            }
        }
    }

    std::variant<model_registry, std::vector<model_problem>> finish() {
        if (!problems_.empty()) {
            return std::move(problems_);
        }
        for (std::size_t i = 0; i < registry_.models_.size(); ++i) {
            registry_.index_.emplace(registry_.models_[i].id, i);
        }
        for (const registered_alias& a : registry_.aliases_) {
            registry_.index_.emplace(a.alias, a.model);
        }
        for (const registered_model& m : registry_.models_) {
            prefer_own_provider(m);
        }
        return std::move(registry_);
    }

private:
    static constexpr std::size_t none = static_cast<std::size_t>(-1);

    void problem(const std::string& name, std::string_view key, std::string message) {
        std::vector<std::string> path{"models", name};
        if (!key.empty()) {
            path.emplace_back(key);
        }
        problems_.push_back({base::dotted(path), std::move(message)});
    }

    [[nodiscard]] bool is_on(const std::string& provider) const {
        const auto found = config_.providers.find(provider);
        return found != config_.providers.end() && found->second.has_key();
    }

    [[nodiscard]] std::size_t find(std::string_view id) const {
        const auto& models = registry_.models_;
        const auto found = std::find_if(models.begin(), models.end(), [&](const auto& m) { return m.id == id; });
        return found == models.end() ? none : static_cast<std::size_t>(found - models.begin());
    }

    [[nodiscard]] std::vector<std::string_view> names_without(std::string_view name) const {
        std::vector<std::string_view> all;
        for (const registered_model& m : registry_.models_) {
            all.push_back(m.id);
        }
        for (const auto& [alias, target] : targets_) {
            all.push_back(alias);
        }
        std::erase(all, name);
        return all;
    }

    void change(registered_model& model, const std::string& name, const base::model_config& m) {
        if (m.provider) {
            if (!config_.providers.contains(*m.provider)) {
                const auto& known = registry_.providers_;
                const std::vector<std::string_view> views(known.begin(), known.end());
                problem(name, "provider", "is no configured provider" + question(*m.provider, views));
            }
            model.provider = *m.provider;
        }
        model.upstream_model = m.upstream_model.value_or(model.upstream_model);
        model.context_window = m.context_window.value_or(model.context_window);
        model.max_output_tokens = m.max_output_tokens.value_or(model.max_output_tokens);
        if (!is_upstream_model_name(model.upstream_model)) {
            problem(name, "upstream_model",
                    "is not 1 to 96 letters, digits and -._:/@+=;,~ (it is the name if not given)");
        }
        if (!has_price(m)) {
            return;
        }
        if (!model.price && !(m.input_price && m.output_price)) {
            problem(name, "", "needs both input_price and output_price, or none (its use is counted as unpriced then)");
            return;
        }
        model.price = changed(model.price.value_or(model_price{}), m);
    }

    void refuse_without_provider(const std::string& name) {
        for (const catalogue_alias& a : catalogue_aliases()) {
            if (a.alias == name) {
                problem(name, "",
                        "is an alias of '" + std::string(a.model) + "': change that model, or give target or provider");
                return;
            }
        }
        const std::string hint = question(name, names_without(name));
        problem(name, "", "is no known model: give target (an alias) or provider (a model of your own)" + hint);
    }

    /// The model a name leads to through any number of aliases.
    struct trail {
        std::size_t model = none;
        bool circle = false;
    };

    [[nodiscard]] trail follow(std::string_view name) const {
        for (std::size_t steps = 0; steps <= targets_.size(); ++steps) {
            if (const std::size_t model = find(name); model != none) {
                return {model, false};
            }
            const auto next = targets_.find(name);
            if (next == targets_.end()) {
                return {none, false};
            }
            name = next->second;
        }
        return {none, true};
    }

    [[nodiscard]] std::string choose_auto() const {
        for (const std::string_view alias : auto_order) {
            const std::size_t model = follow(alias).model;
            if (model != none && is_on(registry_.models_[model].provider)) {
                return std::string(alias);
            }
        }
        return std::string(auto_order[0]);
    }

    /// A target `provider/model`: one of the catalogue, or a model that is known by this only.
    void add_direct(const std::string& name, const std::string& target) {
        const std::size_t slash = std::min(target.find('/'), target.size());
        const std::string provider = target.substr(0, slash);
        const std::string rest = target.substr(std::min(slash + 1, target.size()));
        if (find(target) != none || !config_.providers.contains(provider) || !is_upstream_model_name(rest)) {
            return;
        }
        if (const std::size_t known = find(rest); known != none && registry_.models_[known].provider == provider) {
            targets_[name] = rest;
            return;
        }
        registered_model added;
        added.id = target;
        added.provider = provider;
        added.upstream_model = rest;
        registry_.models_.push_back(std::move(added));
    }

    void check_target(const std::string& name, const std::string& target) {
        const trail found = follow(name);
        const bool reported = targets_.contains(target) || config_.models.contains(target);
        if (found.circle) {
            problem(name, "target", "leads in a circle");
        } else if (found.model == none && !reported) {
            problem(name, "target", "is no known model or alias" + question(target, names_without(name)));
        }
    }

    void register_alias(const std::string& name) {
        const bool done = std::any_of(registry_.aliases_.begin(), registry_.aliases_.end(),
                                      [&](const registered_alias& a) { return a.alias == name; });
        const std::size_t model = targets_.contains(name) ? follow(name).model : none;
        if (!done && model != none) {
            registry_.aliases_.push_back({name, model});
        }
    }

    /// A slug `provider/model` of a provider that is off, when the named provider is on and has that model.
    void prefer_own_provider(const registered_model& slug) {
        const std::size_t slash = slug.id.find('/');
        if (slash == std::string::npos || is_on(slug.provider)) {
            return;
        }
        const std::string own = slug.id.substr(0, slash);
        const std::size_t model = find(std::string_view(slug.id).substr(slash + 1));
        if (model != none && registry_.models_[model].provider == own && is_on(own)) {
            registry_.index_[slug.id] = model;
        }
    }

    const base::config& config_;
    model_registry registry_;
    std::map<std::string, std::string, std::less<>> targets_;  // alias -> what it stands for, perhaps an alias again
    std::vector<model_problem> problems_;
};

std::variant<model_registry, std::vector<model_problem>> make_model_registry(const base::config& config) {
    registry_builder builder(config);
    builder.add_catalogue();
    builder.add_configured();
    builder.add_aliases();
    return builder.finish();
}

}  // namespace concurred::upstream
