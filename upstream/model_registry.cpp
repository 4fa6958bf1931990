#include "upstream/model_registry.hpp"

#include "gateway/base/json_text.hpp"
#include "gateway/base/near_match.hpp"

#include <algorithm>

namespace concurred::upstream {

namespace {

/// Names are repeated in an error up to this many bytes.
constexpr std::size_t shown_bytes = 200;

route_target target_of(const registered_model& model) noexcept {
    return {model.provider,       model.id,
            model.upstream_model, model.price ? &*model.price : nullptr,
            model.context_window, model.max_output_tokens};
}

// "claude-haiku-4-5" of "claude-haiku-4-5-20251001"; empty: there is no day at its end.
std::string_view without_day(std::string_view name) noexcept {
    constexpr std::size_t day = 8;
    constexpr std::string_view digits = "0123456789";
    if (name.size() <= day + 1 || !name.starts_with("claude-") || name[name.size() - day - 1] != '-' ||
        name.find_first_not_of(digits, name.size() - day) != std::string_view::npos) {
        return {};
    }
    return name.substr(0, name.size() - day - 1);
}

base::error unknown_model(std::string_view requested, std::vector<std::string_view> names) {
    // The index has no order; the same question shall have the same answer.
    std::sort(names.begin(), names.end());
    const std::string_view shown = base::cut_text(requested, shown_bytes);
    std::string message = std::string("The model '").append(shown).append("' does not exist.");
    if (std::string question = base::did_you_mean(base::nearest(requested, names, 3)); !question.empty()) {
        question.front() = 'D';
        message.append(" ").append(question);
    }
    message.append(" GET /api/v1/models lists all models.");
    base::error e = base::client_error(base::errc::invalid_model, std::move(message), "model");
    e.details = "{\"model\":";
    base::append_json_text(e.details, shown);
    e.details += '}';
    return e;
}

}  // namespace

bool is_upstream_model_name(std::string_view name) noexcept {
    static constexpr std::string_view allowed =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._:/@+=;,~";
    if (name.empty() || name.size() > 96 || name.find_first_not_of(allowed) != std::string_view::npos) {
        return false;
    }
    while (true) {
        const std::string_view segment = name.substr(0, name.find('/'));
        if (segment.empty() || segment == "." || segment == "..") {
            return false;
        }
        if (segment.size() == name.size()) {
            return true;
        }
        name.remove_prefix(segment.size() + 1);
    }
}

base::result<route_target> model_registry::resolve(std::string_view requested) const {
    if (const auto found = index_.find(requested); found != index_.end()) {
        return target_of(models_[found->second]);
    }
    const std::size_t slash = requested.find('/');
    if (slash != std::string_view::npos) {
        const std::string_view rest = requested.substr(slash + 1);
        const auto provider = std::find(providers_.begin(), providers_.end(), requested.substr(0, slash));
        if (provider != providers_.end() && is_upstream_model_name(rest)) {
            const auto found = index_.find(rest);
            if (found != index_.end() && models_[found->second].provider == *provider) {
                return target_of(models_[found->second]);
            }
            return route_target{*provider, requested, rest};
        }
    }
    // Clients name releases of Anthropic's models by their day; they cost what the model costs.
    if (const std::string_view base = without_day(requested); !base.empty()) {
        const auto found = index_.find(base);
        if (found != index_.end() && models_[found->second].provider == "anthropic") {
            route_target dated = target_of(models_[found->second]);
            dated.model = dated.upstream_model = requested;
            return dated;
        }
    }
    std::vector<std::string_view> names;
    names.reserve(index_.size());
    for (const auto& [name, model] : index_) {
        names.push_back(name);
    }
    return unknown_model(requested, std::move(names));
}

}  // namespace concurred::upstream
