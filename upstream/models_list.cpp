#include "upstream/models_list.hpp"

#include "gateway/base/json_text.hpp"

namespace concurred::upstream {

namespace {

constexpr std::size_t usd_decimals = 12;

void append_text(std::string& out, std::string_view name, std::string_view value) {
    out.append(",\"").append(name).append("\":");
    base::append_json_text(out, value);
}

void append_tokens(std::string& out, std::string_view name, std::uint32_t tokens) {
    out.append(",\"").append(name).append("\":").append(tokens == 0 ? "null" : std::to_string(tokens));
}

void append_pricing(std::string& out, const std::optional<model_price>& price) {
    if (!price) {
        out += ",\"pricing\":null";
        return;
    }
    out.append(",\"pricing\":{\"prompt\":\"").append(usd_per_token(price->input)).append("\"");
    append_text(out, "completion", usd_per_token(price->output));
    if (price->cached_input) {
        append_text(out, "cached_prompt", usd_per_token(*price->cached_input));
    }
    if (price->cache_write) {
        append_text(out, "cache_write", usd_per_token(*price->cache_write));
    }
    out += '}';
}

/// Who made the model: for a slug `maker/model` its maker, else the provider.
std::string_view maker_of(const registered_model& model) {
    const std::size_t slash = model.id.find('/');
    const bool slug = slash != std::string::npos && model.id == model.upstream_model;
    return slug ? std::string_view(model.id).substr(0, slash) : std::string_view(model.provider);
}

void append_entry(std::string& out, std::string_view id, const registered_model& model, bool alias) {
    out += "{\"id\":";
    base::append_json_text(out, id);
    out.append(",\"object\":\"model\",\"created\":").append(std::to_string(price_version_time));
    append_text(out, "owned_by", maker_of(model));
    append_text(out, "provider", model.provider);
    if (alias) {
        append_text(out, "alias_of", model.id);
    } else {
        out += ",\"alias_of\":null";
    }
    append_tokens(out, "context_window", model.context_window);
    append_tokens(out, "max_output_tokens", model.max_output_tokens);
    append_pricing(out, model.price);
    const std::string_view writes = model.input == model_input::text_to_vector ? "false" : "true";
    out.append(",\"capabilities\":{\"streaming\":").append(writes).append(",\"tools\":").append(writes);
    out.append(",\"vision\":")
        .append(model.input == model_input::image ? "true" : "false")
        .append(",\"prompt_caching\":")
        .append(model.price && model.price->cached_input ? "true" : "false")
        .append("}}");
}

}  // namespace

std::string usd_per_token(std::uint64_t pico_usd) {
    std::string digits = std::to_string(pico_usd);
    if (digits.size() <= usd_decimals) {
        digits.insert(0, usd_decimals + 1 - digits.size(), '0');
    }
    digits.insert(digits.size() - usd_decimals, ".");
    digits.erase(digits.find_last_not_of('0') + 1);
    if (digits.ends_with('.')) {
        digits.pop_back();
    }
    return digits;
}

models_list::models_list(const model_registry& registry,
                         const std::function<bool(std::string_view provider)>& available)
    : body_("{\"object\":\"list\",\"data\":[") {
    const auto add = [&](const std::string& id, const registered_model& model, bool alias) {
        if (!available(model.provider)) {
            return;
        }
        body_.append(pieces_.empty() ? "" : ",");
        const std::size_t begin = body_.size();
        append_entry(body_, id, model, alias);
        pieces_.emplace(id, piece{begin, body_.size() - begin});
    };
    for (const registered_alias& a : registry.aliases()) {
        add(a.alias, registry.models()[a.model], true);
    }
    for (const registered_model& m : registry.models()) {
        add(m.id, m, false);
    }
    body_ += "]}";
    body_.shrink_to_fit();
}

std::optional<std::string_view> models_list::find(std::string_view id) const {
    const auto found = pieces_.find(id);
    if (found == pieces_.end()) {
        return std::nullopt;
    }
    return std::string_view(body_).substr(found->second.begin, found->second.size);
}

}  // namespace concurred::upstream
