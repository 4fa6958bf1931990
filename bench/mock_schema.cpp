#include "bench/mock_schema.hpp"

#include "bench/mock_schema_reader.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace concurred::bench {
namespace {

using form = mock_schema::form;
using kind = mock_mismatch::kind;

std::string_view type_of(const boost::json::value& value) noexcept {
    switch (value.kind()) {
        case boost::json::kind::null:
            return "null";
        case boost::json::kind::bool_:
            return "boolean";
        case boost::json::kind::string:
            return "string";
        case boost::json::kind::array:
            return "array";
        case boost::json::kind::object:
            return "object";
        default:
            return value.is_double() ? "number" : "integer";
    }
}

std::string_view type_of(const mock_schema::node& type) noexcept {
    switch (type.is) {
        case form::string:
        case form::literal:
            return "string";
        case form::number:
            return "number";
        case form::integer:
            return "integer";
        case form::boolean:
            return "boolean";
        case form::null:
            return "null";
        case form::array:
            return "array";
        default:
            return "object";
    }
}

bool whole(const boost::json::value& value) noexcept {
    return value.is_int64() || value.is_uint64() ||
           (value.is_double() && std::floor(value.get_double()) == value.get_double());
}

bool fits(const boost::json::value& value, const mock_schema::node& type) noexcept {
    switch (type.is) {
        case form::any:
            return true;
        case form::number:
            return value.is_number();
        case form::integer:
            return whole(value);
        default:
            return type_of(value) == type_of(type);
    }
}

mock_mismatch wrong_type(const boost::json::value& value, std::string_view needed, const mock_path& path) {
    return {kind::type, path, {std::string(needed)}, std::string(type_of(value))};
}

/// A number or a length outside of its limits.
std::optional<mock_mismatch> outside(double size, bool counted, const mock_schema::node& type, std::string got,
                                     const mock_path& path) {
    if (type.high < type.low || (size >= type.low && size <= type.high)) {
        return std::nullopt;
    }
    const bool low = size < type.low;
    return mock_mismatch{low ? kind::low : kind::high, path,   {std::string(type_of(type))}, std::move(got),
                         low ? type.low : type.high,   counted};
}

std::optional<mock_mismatch> count_outside(std::size_t size, const mock_schema::node& type, const mock_path& path) {
    return outside(static_cast<double>(size), true, type, std::to_string(size), path);
}

}  // namespace

std::string dotted(const mock_path& path) {
    std::string text;
    for (const auto& step : path) {
        const auto* name = std::get_if<std::string>(&step);
        text.append(text.empty() ? "" : ".").append(name != nullptr ? *name : std::to_string(std::get<1>(step)));
    }
    return text;
}

std::string bracketed(const mock_path& path) {
    std::string text;
    for (const auto& step : path) {
        if (const auto* name = std::get_if<std::string>(&step)) {
            text.append(text.empty() ? "" : ".").append(*name);
        } else {
            text.append("[").append(std::to_string(std::get<1>(step))).append("]");
        }
    }
    return text;
}

mock_schema::mock_schema(std::string_view text) : names_(mock_schema_reader(text, nodes_).read()) {}

std::optional<mock_mismatch> mock_schema::check(const boost::json::value& value, std::string_view name) const {
    mock_path path;
    return visit(value, names_.find(name)->second, path);
}

const mock_schema::node& mock_schema::resolved(std::size_t type) const {
    const node& one = nodes_[type];
    return one.is == form::reference ? resolved(names_.find(one.text)->second) : one;
}

/// The alternatives of a type, those of named types too.
void mock_schema::flatten(std::size_t type, std::vector<std::size_t>& into) const {
    const node& one = nodes_[type];
    if (one.is == form::reference) {
        flatten(names_.find(one.text)->second, into);
    } else if (one.is == form::either) {
        for (const std::size_t part : one.parts) {
            flatten(part, into);
        }
    } else {
        into.push_back(type);
    }
}

std::vector<std::string> mock_schema::literals(std::size_t type) const {
    std::vector<std::size_t> alternatives;
    flatten(type, alternatives);
    std::vector<std::string> texts;
    for (const std::size_t one : alternatives) {
        if (nodes_[one].is != form::literal) {
            return {};
        }
        texts.push_back(nodes_[one].text);
    }
    return texts;
}

mock_schema::found mock_schema::visit(const boost::json::value& value, std::size_t index, mock_path& path) const {
    const node& type = resolved(index);
    if (type.is == form::either) {
        return visit_either(value, index, path);
    }
    if (!fits(value, type)) {
        return wrong_type(value, type_of(type), path);
    }
    switch (type.is) {
        case form::string:
            return count_outside(value.get_string().size(), type, path);
        case form::number:
        case form::integer:
            return outside(value.to_number<double>(), false, type, boost::json::serialize(value), path);
        case form::literal:
            return std::string_view(value.get_string()) == type.text
                       ? std::nullopt
                       : found(mock_mismatch{kind::value, path, {type.text}, std::string(value.get_string())});
        case form::array: {
            found wrong = count_outside(value.get_array().size(), type, path);
            for (std::size_t i = 0; i < value.get_array().size() && !wrong; ++i) {
                path.emplace_back(i);
                wrong = visit(value.get_array()[i], type.parts.front(), path);
                path.pop_back();
            }
            return wrong;
        }
        case form::map: {
            found wrong;
            for (const auto& member : value.get_object()) {
                path.emplace_back(std::string(member.key()));
                wrong = wrong ? wrong : visit(member.value(), type.parts.front(), path);
                path.pop_back();
            }
            return wrong;
        }
        case form::record:
            return visit_record(value.get_object(), type, path);
        default:
            return std::nullopt;
    }
}

mock_schema::found mock_schema::visit_record(const boost::json::object& object, const node& type,
                                             mock_path& path) const {
    for (const auto& member : object) {
        const auto known = std::ranges::find(type.fields, std::string_view(member.key()), &field::name);
        path.emplace_back(std::string(member.key()));
        found wrong = known != type.fields.end() ? visit(member.value(), known->type, path)
                      : type.open                ? std::nullopt
                                                 : found(mock_mismatch{kind::unknown, path});
        path.pop_back();
        if (wrong) {
            return wrong;
        }
    }
    const auto absent =
        std::ranges::find_if(type.fields, [&](const field& one) { return one.required && !object.contains(one.name); });
    if (absent == type.fields.end()) {
        return std::nullopt;
    }
    mock_path at = path;
    at.emplace_back(absent->name);
    return mock_mismatch{kind::missing, std::move(at)};
}

mock_schema::found mock_schema::visit_either(const boost::json::value& value, std::size_t index,
                                             mock_path& path) const {
    std::vector<std::size_t> alternatives;
    flatten(index, alternatives);
    std::vector<std::string> types;
    std::vector<std::size_t> records;
    std::vector<std::string> texts;
    found best;
    for (const std::size_t one : alternatives) {
        const node& type = nodes_[one];
        if (!fits(value, type)) {
            types.emplace_back(type_of(type));
            continue;
        }
        found wrong = visit(value, one, path);
        if (!wrong) {
            return std::nullopt;
        }
        if (type.is == form::record) {
            records.push_back(one);
        } else if (type.is == form::literal) {
            texts.push_back(type.text);
        }
        best = best && best->path.size() >= wrong->path.size() ? best : wrong;
    }
    if (!records.empty()) {
        return choose_record(value.get_object(), records, path);
    }
    if (!texts.empty()) {
        return mock_mismatch{kind::value, path, std::move(texts), std::string(value.get_string())};
    }
    if (best) {
        return best;
    }
    found wrong = wrong_type(value, "", path);
    std::ranges::sort(types);
    types.erase(std::unique(types.begin(), types.end()), types.end());
    wrong->allowed = std::move(types);
    return wrong;
}

/// Which of several objects is meant: the first member that takes certain texts only, such as `type` or `role`,
/// decides.
mock_schema::found mock_schema::choose_record(const boost::json::object& object,
                                              const std::vector<std::size_t>& records, mock_path& path) const {
    found best;
    found tag;
    for (const std::size_t one : records) {
        const auto& fields = nodes_[one].fields;
        std::vector<std::string> texts;
        const auto decides = std::ranges::find_if(fields, [&](const field& member) {
            texts = member.required ? literals(member.type) : std::vector<std::string>{};
            return !texts.empty();
        });
        const auto* given = decides == fields.end() ? nullptr : object.if_contains(decides->name);
        const std::string text(given != nullptr && given->is_string() ? std::string_view(given->get_string()) : "");
        if (given == nullptr || !given->is_string() || std::ranges::find(texts, text) != texts.end()) {
            found wrong = visit_record(object, nodes_[one], path);
            best = best && wrong && best->path.size() >= wrong->path.size() ? best : wrong;
            continue;
        }
        if (!tag) {
            tag = mock_mismatch{kind::tag, path, {}, text};
            tag->path.emplace_back(decides->name);
        }
        tag->allowed.insert(tag->allowed.end(), texts.begin(), texts.end());
    }
    return best ? best : tag;
}

}  // namespace concurred::bench
