#include "upstream/anthropic_schema.hpp"

#include "upstream/json_parts.hpp"
#include "upstream/json_writer.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace concurred::upstream {

namespace {

/// What is done with a keyword.
enum class keyword_kind {
    keep,         ///< as it is
    schema,       ///< a schema, or true and false
    schemas,      ///< an array of schemas
    named,        ///< an object of schemas
    any_of,       ///< as `schemas`, by the name anyOf
    format,       ///< kept where its value is known
    description,  ///< goes last, with what is told of the others
    closed,       ///< additionalProperties: said anew
    told,         ///< put into the description
};

struct keyword {
    std::string_view name;
    keyword_kind kind;
};

constexpr keyword keywords[] = {
    {"type", keyword_kind::keep},
    {"enum", keyword_kind::keep},
    {"const", keyword_kind::keep},
    {"required", keyword_kind::keep},
    {"title", keyword_kind::keep},
    {"default", keyword_kind::keep},
    {"$ref", keyword_kind::keep},
    {"items", keyword_kind::schema},
    {"properties", keyword_kind::named},
    {"$defs", keyword_kind::named},
    {"definitions", keyword_kind::named},
    {"anyOf", keyword_kind::schemas},
    {"allOf", keyword_kind::schemas},
    {"oneOf", keyword_kind::any_of},
    {"format", keyword_kind::format},
    {"description", keyword_kind::description},
    {"additionalProperties", keyword_kind::closed},
};

constexpr std::array<std::string_view, 10> formats{"date-time", "time", "date", "duration", "email",
                                                   "hostname",  "uri",  "ipv4", "ipv6",     "uuid"};

keyword_kind kind_of(const http::json_member& m) {
    for (const keyword& k : keywords) {
        if (is_named(m, k.name)) {
            return k.kind;
        }
    }
    return keyword_kind::told;
}

bool is_known_format(json_part value) {
    return std::any_of(formats.begin(), formats.end(), [&](std::string_view f) { return value.equals(f); });
}

bool is_annotation(const http::json_member& m) {
    return is_named(m, "$schema") || is_named(m, "$id") || is_named(m, "$comment") || is_named(m, "examples");
}

/// Writes one schema and those inside it. No deeper than the JSON that was accepted.
class schema_writer {
public:
    explicit schema_writer(std::string& out) : w_(out) {}

    void write(std::string_view schema) {
        const json_part whole(schema);
        if (!whole.is_object()) {
            w_.raw(whole.raw);
            return;
        }
        w_.open('{');
        std::string told;
        json_part description;
        bool object = false;
        http::json_reader members(whole.raw);
        while (const http::json_member* m = members.next()) {
            object = object || is_named(*m, "properties") || (is_named(*m, "type") && names_object(json_part(*m)));
            if (is_named(*m, "description")) {
                description = json_part(*m);
                continue;
            }
            write_member(*m, told);
        }
        if (object) {
            w_.member("additionalProperties", "false");
        }
        write_description(description, told);
        w_.close('}');
    }

private:
    static bool names_object(json_part type) {
        if (type.is_string()) {
            return type.equals("object");
        }
        http::json_reader list(type.raw);
        while (const http::json_member* m = list.next()) {
            if (json_part(*m).equals("object")) {
                return true;
            }
        }
        return false;
    }

    void write_member(const http::json_member& m, std::string& told) {
        const json_part value(m);
        const auto tell = [&] {
            if (!is_annotation(m)) {
                told.append(told.empty() ? "" : ", ").append(m.key).append(": ");
                append_compact(told, value.raw);
            }
        };
        switch (kind_of(m)) {
            case keyword_kind::keep:
                w_.member(m.key, value.raw);
                break;
            case keyword_kind::schema:
                w_.key(m.key);
                write(value.raw);
                break;
            case keyword_kind::schemas:
                w_.key(m.key);
                write_list(value);
                break;
            case keyword_kind::any_of:
                w_.key("anyOf");
                write_list(value);
                break;
            case keyword_kind::named:
                w_.key(m.key);
                write_named(value);
                break;
            case keyword_kind::format:
                if (is_known_format(value)) {
                    w_.member(m.key, value.raw);
                } else {
                    tell();
                }
                break;
            case keyword_kind::told:
                tell();
                break;
            case keyword_kind::closed:
            case keyword_kind::description:
                break;
        }
    }

    void write_list(json_part list) {
        w_.open('[');
        http::json_reader entries(list.raw);
        while (const http::json_member* m = entries.next()) {
            write(m->value);
        }
        w_.close(']');
    }

    void write_named(json_part object) {
        w_.open('{');
        http::json_reader entries(object.raw);
        while (const http::json_member* m = entries.next()) {
            w_.key(m->key);
            write(m->value);
        }
        w_.close('}');
    }

    void write_description(json_part description, const std::string& told) {
        if (told.empty()) {
            if (description) {
                w_.member("description", description.raw);
            }
            return;
        }
        const std::string own = description.text();
        w_.text_member("description", own + (own.empty() ? "" : " ") + "(" + told + ")");
    }

    json_writer w_;
};

}  // namespace

void append_anthropic_schema(std::string& out, std::string_view schema) {
    schema_writer(out).write(schema);
}

}  // namespace concurred::upstream
