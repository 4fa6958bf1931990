#include "upstream/json_schema.hpp"

#include "gateway/http/json_string.hpp"
#include "upstream/json_parts.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <vector>

namespace concurred::upstream {

namespace {

using http::json_kind;
using http::json_member;
using http::json_reader;

// A schema may refer to itself; each level of the value takes a few.
constexpr unsigned most_steps = 200;
// Alternatives of alternatives multiply: what was not looked at by then counts as fitting.
constexpr unsigned most_checks = 50'000;

std::string_view object_of(const json_part& part) noexcept {
    return part.is_object() ? part.raw : std::string_view("{}");
}

std::optional<double> number_of(const json_part& part) noexcept {
    double value = 0;
    const char* const end = part.raw.data() + part.raw.size();
    const auto [behind, failure] = std::from_chars(part.raw.data(), end, value);
    return part.is_number() && failure == std::errc{} && behind == end ? std::optional(value) : std::nullopt;
}

std::size_t size_of(std::string_view container) {
    json_reader elements(container);
    std::size_t size = 0;
    while (elements.next() != nullptr) {
        ++size;
    }
    return size;
}

std::size_t code_points(const json_part& text) {
    const std::string decoded = text.text();
    return static_cast<std::size_t>(std::count_if(
        decoded.begin(), decoded.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

bool is_whole(const json_part& value) noexcept {
    const auto number = number_of(value);
    return number && std::floor(*number) == *number;
}

bool equal(const json_part& a, const json_part& b) {
    if (a.kind != b.kind) {
        return false;
    }
    if (a.kind == json_kind::string) {
        return a.text() == b.text();
    }
    if (a.kind == json_kind::number) {
        return number_of(a) == number_of(b);
    }
    std::string left;
    std::string right;
    append_compact(left, a.raw);
    append_compact(right, b.raw);
    return left == right;
}

bool is_of_type(const json_part& value, std::string_view type) noexcept {
    switch (value.kind) {
        case json_kind::null:
            return type == "null";
        case json_kind::boolean:
            return type == "boolean";
        case json_kind::number:
            return type == "number" || (type == "integer" && is_whole(value));
        case json_kind::string:
            return type == "string";
        case json_kind::array:
            return type == "array";
        case json_kind::object:
            return type == "object";
    }
    return false;
}

/// Keywords of one schema.
struct keywords {
    json_part reference, type, values, constant, any, one, all, negated;
    json_part properties, required, additional, least_members, most_members;
    json_part items, prefix, least_items, most_items;
    json_part minimum, maximum, above, below, least_length, most_length;
};

keywords read_keywords(std::string_view schema) {
    keywords k;
    read_members(schema, {{"$ref", &k.reference},
                          {"type", &k.type},
                          {"enum", &k.values},
                          {"const", &k.constant},
                          {"anyOf", &k.any},
                          {"oneOf", &k.one},
                          {"allOf", &k.all},
                          {"not", &k.negated},
                          {"properties", &k.properties},
                          {"required", &k.required},
                          {"additionalProperties", &k.additional},
                          {"minProperties", &k.least_members},
                          {"maxProperties", &k.most_members},
                          {"items", &k.items},
                          {"prefixItems", &k.prefix},
                          {"minItems", &k.least_items},
                          {"maxItems", &k.most_items},
                          {"minimum", &k.minimum},
                          {"maximum", &k.maximum},
                          {"exclusiveMinimum", &k.above},
                          {"exclusiveMaximum", &k.below},
                          {"minLength", &k.least_length},
                          {"maxLength", &k.most_length}});
    return k;
}

class validator {
public:
    explicit validator(std::string_view root) noexcept : root_(root) {}

    /// @return what is wrong; empty: nothing
    std::string check(std::string_view schema, const json_part& value, const std::string& path) {
        if (schema == "false") {
            return path + " is not allowed";
        }
        if (schema.empty() || schema.front() != '{' || ++checks_ > most_checks) {
            return {};
        }
        if (steps_ == most_steps) {
            return path + " is nested too deeply";
        }
        ++steps_;
        std::string wrong = check_all(read_keywords(schema), value, path);
        --steps_;
        return wrong;
    }

private:
    std::string check_all(const keywords& k, const json_part& value, const std::string& path) {
        for (const auto part : {&validator::reference, &validator::type, &validator::values, &validator::choices,
                                &validator::members, &validator::elements, &validator::bounds}) {
            if (std::string wrong = (this->*part)(k, value, path); !wrong.empty()) {
                return wrong;
            }
        }
        return {};
    }

    std::string reference(const keywords& k, const json_part& value, const std::string& path) {
        if (!k.reference.is_string()) {
            return {};
        }
        const std::string name = k.reference.text();
        std::string_view at = root_;
        for (std::size_t begin = 1; begin < name.size();) {
            const std::size_t end = std::min(name.find('/', begin + 1), name.size());
            at = member_of(at, name.substr(begin + 1, end - begin - 1)).raw;
            begin = end;
        }
        return name.starts_with('#') ? check(at, value, path) : std::string();
    }

    std::string type(const keywords& k, const json_part& value, const std::string& path) {
        if (k.type.is_string()) {
            const std::string name = k.type.text();
            return is_of_type(value, name) ? std::string() : path + " must be of type " + name;
        }
        if (!k.type.is_array()) {
            return {};
        }
        json_reader names(k.type.raw);
        while (const json_member* m = names.next()) {
            if (is_of_type(value, json_part(*m).text())) {
                return {};
            }
        }
        return path + " must be of one of the types " + std::string(k.type.raw);
    }

    std::string values(const keywords& k, const json_part& value, const std::string& path) {
        if (!k.constant.raw.empty() && !equal(k.constant, value)) {
            return path + " must be " + std::string(k.constant.raw);
        }
        if (!k.values.is_array()) {
            return {};
        }
        json_reader allowed(k.values.raw);
        while (const json_member* m = allowed.next()) {
            if (equal(json_part(*m), value)) {
                return {};
            }
        }
        return path + " must be one of " + std::string(k.values.raw);
    }

    std::string choices(const keywords& k, const json_part& value, const std::string& path) {
        json_reader all(k.all.list());
        while (const json_member* m = all.next()) {
            if (std::string wrong = check(m->value, value, path); !wrong.empty()) {
                return wrong;
            }
        }
        const auto fitting = [&](const json_part& list) {
            json_reader schemas(list.raw);
            std::size_t fits = 0;
            while (const json_member* m = schemas.next()) {
                fits += check(m->value, value, path).empty() ? 1U : 0U;
            }
            return fits;
        };
        if (k.any.is_array() && fitting(k.any) == 0) {
            return path + " fits none of its anyOf";
        }
        if (k.one.is_array() && fitting(k.one) != 1) {
            return path + " must fit exactly one of its oneOf";
        }
        const bool forbidden = k.negated && check(k.negated.raw, value, path).empty();
        return forbidden ? path + " fits what it must not" : std::string();
    }

    std::string members(const keywords& k, const json_part& value, const std::string& path) {
        if (!value.is_object()) {
            return {};
        }
        json_reader required(k.required.list());
        while (const json_member* m = required.next()) {
            const std::string name = json_part(*m).text();
            if (member_of(value.raw, name).raw.empty()) {
                return path + "/" + name + " is required";
            }
        }
        json_reader given(value.raw);
        while (const json_member* m = given.next()) {
            const std::string name = http::json_unescape(m->key).value_or(std::string());
            const json_part known = member_of(object_of(k.properties), name);
            const json_part& schema = known.raw.empty() ? k.additional : known;
            if (std::string wrong = check(schema.raw, json_part(*m), path + "/" + name); !wrong.empty()) {
                return wrong;
            }
        }
        return count(size_of(value.raw), k.least_members, k.most_members, path, "members");
    }

    std::string elements(const keywords& k, const json_part& value, const std::string& path) {
        if (!value.is_array()) {
            return {};
        }
        json_reader given(value.raw);
        json_reader front(k.prefix.list());
        std::size_t index = 0;
        for (; const json_member* m = given.next(); ++index) {
            const json_member* const own = front.next();
            const std::string_view schema = own != nullptr ? own->value : k.items.raw;
            if (std::string wrong = check(schema, json_part(*m), path + "/" + std::to_string(index)); !wrong.empty()) {
                return wrong;
            }
        }
        return count(index, k.least_items, k.most_items, path, "elements");
    }

    std::string bounds(const keywords& k, const json_part& value, const std::string& path) {
        if (value.is_string() && (k.least_length || k.most_length)) {
            return count(code_points(value), k.least_length, k.most_length, path, "characters");
        }
        const auto number = number_of(value);
        if (!number) {
            return {};
        }
        const auto out = [&](const json_part& bound, auto beyond) {
            const auto limit = number_of(bound);
            return limit && beyond(*number, *limit);
        };
        if (out(k.minimum, std::less<>()) || out(k.above, std::less_equal<>())) {
            return path + " is too small";
        }
        return out(k.maximum, std::greater<>()) || out(k.below, std::greater_equal<>()) ? path + " is too large"
                                                                                        : std::string();
    }

    static std::string count(std::size_t size, const json_part& least, const json_part& most, const std::string& path,
                             std::string_view what) {
        if (least && size < least.count()) {
            return path + " has too few " + std::string(what);
        }
        return most && size > most.count() ? path + " has too many " + std::string(what) : std::string();
    }

    std::string_view root_;
    unsigned steps_ = 0;
    unsigned checks_ = 0;
};

std::string fault_in(std::string_view schema, const std::string& path);

/// Faults of schemas in a list, or under names.
std::string fault_below(const json_part& container, const std::string& path) {
    json_reader elements(container.raw);
    while (const json_member* m = elements.next()) {
        if (std::string fault = fault_in(m->value, path); !fault.empty()) {
            return fault;
        }
    }
    return {};
}

std::string fault_in(std::string_view schema, const std::string& path) {
    if (schema == "true" || schema == "false") {
        return {};
    }
    if (schema.empty() || schema.front() != '{') {
        return path + " must be a schema: an object, true or false";
    }
    constexpr std::array<std::string_view, 7> types{"object",  "array",   "string", "number",
                                                    "integer", "boolean", "null"};
    const keywords k = read_keywords(schema);
    const std::string type = k.type.text();
    if (k.type && !k.type.is_array() && std::find(types.begin(), types.end(), type) == types.end()) {
        return path + ".type is no type of JSON";
    }
    if ((k.properties && !k.properties.is_object()) || (k.required && !k.required.is_array())) {
        return path + (k.properties && !k.properties.is_object() ? ".properties must be an object"
                                                                 : ".required must be an array");
    }
    if (k.values && !k.values.is_array()) {
        return path + ".enum must be an array";
    }
    for (const auto& [list, name] :
         {std::pair{&k.any, ".anyOf"}, std::pair{&k.one, ".oneOf"}, std::pair{&k.all, ".allOf"}}) {
        if (*list && !list->is_array()) {
            return path + name + " must be an array";
        }
        if (std::string fault = *list ? fault_below(*list, path + name) : std::string(); !fault.empty()) {
            return fault;
        }
    }
    if (std::string fault = k.items && !k.items.is_array() ? fault_in(k.items.raw, path + ".items") : std::string();
        !fault.empty()) {
        return fault;
    }
    return k.properties ? fault_below(k.properties, path + ".properties") : std::string();
}

}  // namespace

std::optional<std::string> schema_violation(std::string_view schema, std::string_view value) {
    std::string wrong = validator(schema).check(schema, json_part(value), "");
    if (!wrong.empty() && wrong.front() == ' ') {
        wrong.insert(0, "the value");
    }
    return wrong.empty() ? std::nullopt : std::optional(std::move(wrong));
}

std::optional<std::string> schema_fault(std::string_view schema) {
    std::string fault = fault_in(schema, "");
    if (fault.starts_with('.')) {
        fault.erase(0, 1);
    }
    return fault.empty() ? std::nullopt : std::optional(std::move(fault));
}

}  // namespace concurred::upstream
