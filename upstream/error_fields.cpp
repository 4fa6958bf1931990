#include "upstream/error_fields.hpp"

#include "gateway/http/json_scan.hpp"
#include "gateway/http/json_string.hpp"
#include "upstream/google_error.hpp"

#include <charconv>
#include <utility>

namespace concurred::upstream {

namespace {

using http::json_kind;
using http::json_member;
using http::json_reader;

std::string text_of(const json_member& m) {
    return m.kind == json_kind::string ? http::json_unquote(m.value).value_or(std::string()) : std::string();
}

std::optional<long> number_of(const json_member& m) noexcept {
    long value = 0;
    const char* const end = m.value.data() + m.value.size();
    const auto [behind, failure] = std::from_chars(m.value.data(), end, value);
    const bool whole = m.kind == json_kind::number && failure == std::errc{} && behind == end;
    return whole ? std::optional(value) : std::nullopt;
}

/// The routed provider's message in OpenRouter's `metadata.raw`, which is JSON or plain text.
std::string routed_message(std::string raw) {
    // One level only: a text made of texts in texts is not worth following.
    if (const std::size_t first = raw.find_first_not_of(" \t\r\n"); first != std::string::npos && raw[first] == '{') {
        json_reader members(raw);
        std::string message;
        while (const json_member* m = members.next()) {
            if (m->key == "message" || (m->key == "error" && m->kind == json_kind::string)) {
                message = text_of(*m);
            } else if (m->key == "error" && m->kind == json_kind::object) {
                json_reader inner(m->value);
                while (const json_member* field = inner.next()) {
                    if (field->key == "message") {
                        message = text_of(*field);
                    }
                }
            }
        }
        return members.ok() ? message : std::string();
    }
    return raw.starts_with('<') || raw.starts_with('[') ? std::string() : std::move(raw);
}

void read_metadata(const json_member& metadata, error_fields& fields) {
    json_reader members(metadata.value);
    while (const json_member* m = members.next()) {
        if (m->key == "error_type") {
            fields.error_type = text_of(*m);
        } else if (m->key == "reasons" || m->key == "flagged_input") {
            fields.moderated = m->kind != json_kind::null;
        } else if (m->key == "raw") {
            if (std::string message = routed_message(text_of(*m)); !message.empty()) {
                fields.message = std::move(message);
            }
        }
    }
}

void read_code(const json_member& m, error_fields& fields) {
    fields.number = number_of(m);
    fields.code = text_of(m);
}

void read_error_object(const json_member& error, error_fields& fields) {
    json_reader members(error.value);
    std::string_view metadata;
    std::string_view details;
    while (const json_member* m = members.next()) {
        if (m->key == "message") {
            fields.message = text_of(*m);
        } else if (m->key == "type") {
            fields.type = text_of(*m);
        } else if (m->key == "param") {
            fields.param = text_of(*m);
        } else if (m->key == "code") {
            read_code(*m, fields);
        } else if (m->key == "metadata" && m->kind == json_kind::object) {
            metadata = m->value;
        } else if (m->key == "status") {
            fields.status = text_of(*m);
        } else if (m->key == "details" && m->kind == json_kind::array) {
            details = m->value;
        }
    }
    if (!details.empty()) {
        read_google_details(details, fields);
    }
    if (!metadata.empty()) {  // last: its text is preferred to the general message
        json_member m;
        m.value = metadata;
        read_metadata(m, fields);
    }
}

/// Returns whether it is a failure.
bool read_base_resp(const json_member& base_resp, error_fields& fields) {
    json_reader members(base_resp.value);
    error_fields found;
    while (const json_member* m = members.next()) {
        if (m->key == "status_code") {
            found.number = number_of(*m);
        } else if (m->key == "status_msg") {
            found.message = text_of(*m);
        }
    }
    if (!found.number || *found.number == 0) {
        return false;
    }
    found.base_resp = true;
    fields = std::move(found);
    return true;
}

}  // namespace

std::optional<error_fields> read_error_fields(std::string_view body) {
    if (const std::size_t first = body.find_first_not_of(" \t\r\n"); first != std::string::npos && body[first] == '[') {
        json_reader elements(body.substr(first));
        const json_member* const only = elements.next();
        return only != nullptr && only->kind == json_kind::object ? read_error_fields(only->value) : std::nullopt;
    }
    error_fields fields;
    std::string message;
    std::string code;
    bool found = false;
    json_reader members(body);
    while (const json_member* m = members.next()) {
        if (fields.base_resp) {
            continue;  // MiniMax's own status says most
        }
        if (m->key == "base_resp") {
            found = read_base_resp(*m, fields) || found;
        } else if (m->key == "error" && m->kind == json_kind::object) {
            read_error_object(*m, fields);
            found = true;
        } else if (m->key == "error" && m->kind == json_kind::string) {
            fields.message = text_of(*m);
            found = true;
        } else if (m->key == "message" || m->key == "detail") {
            message = text_of(*m);
        } else if (m->key == "code") {
            code = text_of(*m);
        }
    }
    if (!members.ok() || (!found && message.empty())) {
        return std::nullopt;
    }
    if (fields.message.empty()) {
        fields.message = std::move(message);
    }
    if (fields.code.empty() && !fields.base_resp) {
        fields.code = std::move(code);
    }
    return fields;
}

bool is_error(const json_part& error) noexcept {
    return error && !error.is_false() && !error.is_empty_string();
}

bool is_failure(const json_part& base_resp) {
    const json_part code = member_of(base_resp.raw, "status_code");
    return code.is_number() && code.raw != "0";
}

bool carries_error(std::string_view body) {
    if (body.find("\"error\"") == std::string_view::npos && body.find("\"base_resp\"") == std::string_view::npos) {
        return false;
    }
    json_part error;
    json_part base_resp;
    const bool valid = read_members(json_part(body).raw, {{"error", &error}, {"base_resp", &base_resp}});
    return valid && (is_error(error) || is_failure(base_resp));
}

}  // namespace concurred::upstream
