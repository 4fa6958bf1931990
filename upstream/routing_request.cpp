#include "upstream/routing_request.hpp"

#include "gateway/base/json_text.hpp"
#include "gateway/http/json_scan.hpp"
#include "gateway/http/json_string.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace concurred::upstream {

namespace {

using base::errc;
using base::result;
using http::json_kind;
using http::json_member;
using http::json_reader;

base::error wrong(std::string place, std::string_view allowed) {
    base::error e = base::client_error(errc::bad_request, "'" + place + "' must be " + std::string(allowed) + ".");
    e.param = std::move(place);
    e.details = "{\"field\":\"" + e.param + "\"}";
    return e;
}

base::error unknown_field(const json_member& m, std::string place, std::string_view allowed) {
    const std::string name(base::cut_text(m.key, 64));
    base::error e = base::client_error(
        errc::bad_request, "Unknown field '" + name + "' in '" + place + "': it has " + std::string(allowed) + ".");
    e.param = std::move(place);
    e.details = "{\"field\":\"" + e.param + "\"}";
    return e;
}

std::string decoded(const json_member& m) {
    return http::json_unquote(m.value).value_or(std::string());
}

/// Reads the object `load_balance`. Members that are given twice: the last counts, as in most decoders.
class balance_reader {
public:
    explicit balance_reader(routing_request& out) noexcept : out_(out) {}

    result<void> read(std::string_view object) {
        json_reader members(object);
        bool models_given = false;
        while (const json_member* m = members.next()) {
            if (m->key == "strategy") {
                if (auto ok = read_strategy(*m); !ok) {
                    return ok;
                }
            } else if (m->key == "models") {
                models_given = true;
                if (auto ok = read_models(*m); !ok) {
                    return ok;
                }
            } else {
                return unknown_field(*m, "load_balance", "strategy and models");
            }
        }
        if (!models_given) {
            return wrong("load_balance.models", models_rule);
        }
        return {};
    }

private:
    static constexpr std::string_view models_rule = "an array of 1 to 16 objects {\"model\": ..., \"weight\": ...}";

    result<void> read_strategy(const json_member& m) {
        const auto strategy = m.kind == json_kind::string ? balance_strategy_of(decoded(m)) : std::nullopt;
        if (!strategy) {
            return wrong("load_balance.strategy", "one of weighted, round_robin, least_latency and random");
        }
        out_.strategy = *strategy;
        return {};
    }

    result<void> read_models(const json_member& m) {
        out_.balanced.clear();
        if (m.kind != json_kind::array) {
            return wrong("load_balance.models", models_rule);
        }
        json_reader elements(m.value);
        while (const json_member* element = elements.next()) {
            const std::string place = "load_balance.models[" + std::to_string(out_.balanced.size()) + "]";
            if (element->kind != json_kind::object) {
                return wrong(place, "an object {\"model\": ..., \"weight\": ...}");
            }
            if (out_.balanced.size() == max_balanced) {
                return wrong("load_balance.models", models_rule);
            }
            if (auto ok = read_model(*element, place); !ok) {
                return ok;
            }
        }
        if (out_.balanced.empty()) {
            return wrong("load_balance.models", models_rule);
        }
        if (std::all_of(out_.balanced.begin(), out_.balanced.end(), [](const auto& b) { return b.weight == 0; })) {
            return wrong("load_balance.models", "models of which at least one has a weight above 0");
        }
        return {};
    }

    result<void> read_model(const json_member& element, const std::string& place) {
        balanced_model& added = out_.balanced.emplace_back();
        json_reader members(element.value);
        while (const json_member* m = members.next()) {
            if (m->key == "model") {
                added.model = decoded(*m);
            } else if (m->key == "weight") {
                const char* const end = m->value.data() + m->value.size();
                const auto [behind, failure] = std::from_chars(m->value.data(), end, added.weight);
                if (failure != std::errc{} || behind != end || added.weight > max_balance_weight) {
                    return wrong(place + ".weight", "an integer from 0 to 1000000");
                }
            } else {
                return unknown_field(*m, place, "model and weight");
            }
        }
        if (added.model.empty()) {
            return wrong(place + ".model", "a non-empty string");
        }
        const auto first = std::find_if(out_.balanced.begin(), out_.balanced.end(),
                                        [&](const balanced_model& b) { return b.model == added.model; });
        if (&*first != &added) {
            return wrong(place + ".model", "another one than those before it");
        }
        return {};
    }

    routing_request& out_;
};

}  // namespace

result<routing_request> parse_routing_request(const chat_request& request) {
    routing_request parsed;
    if (!request.load_balance.empty()) {
        if (auto ok = balance_reader(parsed).read(request.load_balance); !ok) {
            return ok.error();
        }
    }
    if (!request.fallback.empty()) {
        json_reader elements(request.fallback);
        while (const json_member* m = elements.next()) {
            parsed.fallback.push_back(decoded(*m));
        }
    }
    return parsed;
}

}  // namespace concurred::upstream
