#include "bench/toml_fields.hpp"

#include "gateway/base/config_text.hpp"
#include "gateway/base/near_match.hpp"

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include <limits>
#include <optional>
#include <sstream>
#include <utility>

namespace concurred::bench {

struct toml_fields::table {
    document* notes;
    std::optional<toml::table> root;  // of the document itself
    const toml::table* at = nullptr;
    std::vector<std::string> asked{};

    const toml::node* find(std::string_view key) {
        asked.emplace_back(key);
        return at->get(key);
    }
    std::unique_ptr<table> below(const toml::table& inner) const {
        return std::make_unique<table>(table{notes, std::nullopt, &inner});
    }
    void complain(const toml::source_region& place, std::string_view key, const std::string& what) const {
        notes->complaints.push_back(notes->name + ":" + std::to_string(place.begin.line) + ": " + std::string(key) +
                                    ": " + what);
    }
};

toml_fields::toml_fields(std::string_view text, document& notes)
    : table_(std::make_unique<table>(table{&notes, toml::table{}})) {
    toml::parse_result parsed = toml::parse(text);
    if (parsed) {
        table_->root = std::move(parsed).table();
    } else {
        notes.complaints.push_back(notes.name + ":" + std::to_string(parsed.error().source().begin.line) +
                                   ": is not TOML: " + std::string(parsed.error().description()));
    }
    table_->at = &*table_->root;
}

toml_fields::toml_fields(std::unique_ptr<table> from) : table_(std::move(from)) {}
toml_fields::toml_fields(toml_fields&&) noexcept = default;
toml_fields::~toml_fields() = default;

template <class Value>
bool toml_fields::take(std::string_view key, std::string_view wanted, Value& value) {
    const toml::node* node = table_->find(key);
    if (node == nullptr) {
        return false;
    }
    if (const auto found = node->value<Value>()) {
        value = *found;
        return true;
    }
    table_->complain(node->source(), key, "needs " + std::string(wanted));
    return false;
}

void toml_fields::get(std::string_view key, std::string& value) {
    static_cast<void>(take(key, "a text in quotes", value));
}

void toml_fields::get(std::string_view key, bool& value) {
    static_cast<void>(take(key, "true or false", value));
}

void toml_fields::get(std::string_view key, double& value) {
    double found = 0;
    if (take(key, "a number", found)) {
        if (found >= 0) {
            value = found;
        } else {
            complain(key, "needs a number that is not negative");
        }
    }
}

void toml_fields::get(std::string_view key, std::uint64_t& value) {
    std::int64_t found = 0;
    if (take(key, "a whole number", found)) {
        if (found >= 0) {
            value = static_cast<std::uint64_t>(found);
        } else {
            complain(key, "needs a number that is not negative");
        }
    }
}

void toml_fields::get(std::string_view key, std::uint32_t& value) {
    std::uint64_t wide = value;
    get(key, wide);
    if (wide > std::numeric_limits<std::uint32_t>::max()) {
        complain(key, "is too large");
        return;
    }
    value = static_cast<std::uint32_t>(wide);
}

void toml_fields::get(std::string_view key, std::vector<unsigned>& value) {
    const toml::node* node = table_->find(key);
    if (node == nullptr) {
        return;
    }
    const toml::array* items = node->as_array();
    std::vector<unsigned> found;
    for (std::size_t i = 0; items != nullptr && i < items->size(); ++i) {
        if (const auto number = items->get(i)->value<std::uint16_t>()) {
            found.push_back(*number);
        }
    }
    if (items == nullptr || items->empty() || found.size() != items->size()) {
        table_->complain(node->source(), key, "needs a list of numbers, e.g. [200]");
        return;
    }
    value = std::move(found);
}

void toml_fields::get(std::string_view key, std::chrono::milliseconds& value) {
    std::string text;
    if (take(key, "a time, e.g. \"250ms\" or \"10s\"", text)) {
        if (const auto found = base::parse_duration(text)) {
            value = *found;
        } else {
            complain(key, "needs a time, e.g. \"250ms\" or \"10s\"");
        }
    }
}

void toml_fields::get_size(std::string_view key, std::uint64_t& value) {
    const toml::node* node = table_->at->get(key);
    if (node != nullptr && node->is_integer()) {
        get(key, value);
        return;
    }
    std::string text;
    if (take(key, "a size, e.g. 900 or \"16KiB\"", text)) {
        if (const auto found = base::parse_size(text)) {
            value = *found;
        } else {
            complain(key, "needs a size, e.g. 900 or \"16KiB\"");
        }
    }
}

void toml_fields::each(std::string_view key, const std::function<void(toml_fields&)>& visit) {
    const toml::node* node = table_->find(key);
    const toml::array* items = node == nullptr ? nullptr : node->as_array();
    if (node != nullptr && items == nullptr) {
        table_->complain(node->source(), key, "needs tables: [[" + std::string(key) + "]]");
    }
    for (std::size_t i = 0; items != nullptr && i < items->size(); ++i) {
        if (const toml::table* item = items->get(i)->as_table()) {
            toml_fields fields(table_->below(*item));
            visit(fields);
            fields.finish();
        } else {
            table_->complain(items->get(i)->source(), key, "needs tables: [[" + std::string(key) + "]]");
        }
    }
}

void toml_fields::within(std::string_view key, const std::function<void(toml_fields&)>& visit) {
    const toml::node* node = table_->find(key);
    if (node == nullptr) {
        return;
    }
    if (const toml::table* inner = node->as_table()) {
        toml_fields fields(table_->below(*inner));
        visit(fields);
        fields.finish();
    } else {
        table_->complain(node->source(), key, "needs a table: [" + std::string(key) + "]");
    }
}

void toml_fields::each_named(std::string_view key, const std::function<void(const std::string&, toml_fields&)>& visit) {
    within(key, [&](toml_fields& outer) {
        for (const auto& [name, unused] : *outer.table_->at) {
            outer.within(name.str(), [&](toml_fields& inner) { visit(std::string(name.str()), inner); });
        }
    });
}

void toml_fields::each_value(std::string_view key,
                             const std::function<void(const std::string&, const std::string&)>& visit) {
    within(key, [&](toml_fields& outer) {
        for (const auto& [name, node] : *outer.table_->at) {
            std::ostringstream text;
            node.visit([&text](const auto& value) {
                if constexpr (toml::is_value<decltype(value)>) {
                    text << toml::toml_formatter(value);
                }
            });
            if (outer.table_->find(name.str()); text.str().empty()) {
                outer.complain(name.str(), "needs a value; write the dotted key in quotes");
            }
            visit(std::string(name.str()), text.str());
        }
    });
}

void toml_fields::complain(std::string_view key, const std::string& what) {
    const toml::node* node = table_->at->get(key);
    table_->complain(node == nullptr ? table_->at->source() : node->source(), key, what);
}

void toml_fields::finish() {
    const std::vector<std::string_view> known(table_->asked.begin(), table_->asked.end());
    for (const auto& [name, node] : *table_->at) {
        if (std::find(known.begin(), known.end(), name.str()) == known.end()) {
            const std::string hint = base::did_you_mean(base::nearest(name.str(), known, 1));
            table_->complain(node.source(), name.str(), "unknown key" + (hint.empty() ? hint : ", " + hint));
        }
    }
}

}  // namespace concurred::bench
