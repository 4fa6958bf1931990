#include "upstream/chat_request.hpp"

#include "gateway/http/json_scan.hpp"
#include "gateway/http/json_string.hpp"
#include "upstream/chat_fields.hpp"

#include <charconv>
#include <cstdint>
#include <utility>

namespace concurred::upstream {

namespace {

using base::errc;
using http::json_kind;
using http::json_member;
using http::json_reader;

base::error field_error(errc code, std::string_view field, std::string message) {
    base::error e = base::client_error(code, std::move(message), std::string(field));
    e.details = "{\"field\":\"" + e.param + "\"}";
    return e;
}

base::error wrong(std::string_view field, std::string_view allowed) {
    return field_error(errc::bad_request, field, "'" + std::string(field) + "' must be " + std::string(allowed) + ".");
}

base::error missing(chat_field field) {
    return field_error(errc::missing_required_field, name_of(field),
                       "The field '" + std::string(name_of(field)) + "' is required.");
}

base::error twice(std::string_view field) {
    return field_error(errc::bad_request, field, "'" + std::string(field) + "' is given more than once.");
}

base::error syntax_error(std::string_view body, const http::json_error& e) {
    return base::client_error(errc::bad_request, "The body is not valid JSON: " + http::describe(body, e) + ".");
}

/// A JSON number that is an integer from `low` to `high`.
std::optional<std::uint64_t> integer(const json_member& m, std::uint64_t low, std::uint64_t high) noexcept {
    std::uint64_t value = 0;
    const char* const end = m.value.data() + m.value.size();
    const auto [behind, failure] = std::from_chars(m.value.data(), end, value);
    if (m.kind != json_kind::number || failure != std::errc{} || behind != end || value < low || value > high) {
        return std::nullopt;
    }
    return value;
}

bool is_model_list(std::string_view array) noexcept {
    json_reader elements(array);
    unsigned count = 0;
    while (const json_member* m = elements.next()) {
        if (m->kind != json_kind::string || m->value.size() == 2 || ++count > max_fallbacks) {
            return false;
        }
    }
    return true;
}

/// Collects one request, member by member.
class request_parser {
public:
    explicit request_parser(std::string_view body) noexcept : body_(body) {}

    base::result<chat_request> run() {
        json_reader members(body_);
        while (const json_member* m = members.next()) {
            const field_match match = match_field(*m);
            if (match.field != chat_field::none && !take_field(match, *m)) {
                return std::move(error_);
            }
            place(*m, is_gateway_only(match.field));
        }
        if (!members.ok()) {
            return syntax_error(body_, members.error());
        }
        if (request_.model_text.empty()) {
            return missing(chat_field::model);
        }
        if (request_.messages.empty()) {
            return missing(chat_field::messages);
        }
        return std::move(request_);
    }

private:
    bool fail(base::error e) {
        error_ = std::move(e);
        return false;
    }

    /// Keeps the cuts: a member goes with the comma before it; at the front, with the one behind.
    void place(const json_member& m, bool cut) noexcept {
        chat_request& r = request_;
        if (cut_at_front_) {
            r.cut_ranges[r.cut_count - 1].end = m.begin;
            cut_at_front_ = false;
        }
        if (cut) {
            cut_at_front_ = !anything_kept_;
            const std::size_t begin = anything_kept_ ? r.members_end : m.begin;
            r.cut_ranges[r.cut_count++] = {begin, m.end};
        }
        anything_kept_ = anything_kept_ || !cut;
        r.members_end = m.end;
    }

    bool take_field(field_match match, const json_member& m) {
        const std::string_view name = name_of(match.field);
        if (!match.exact) {
            return fail(field_error(errc::bad_request, name,
                                    "Unknown field: names are case-sensitive, write '" + std::string(name) + "'."));
        }
        const unsigned bit = 1U << static_cast<unsigned>(match.field);
        if ((seen_ & bit) != 0) {
            return fail(twice(name));
        }
        seen_ |= bit;
        if (m.kind == json_kind::null && match.field != chat_field::model && match.field != chat_field::messages) {
            if (match.field == chat_field::stream_options) {
                request_.stream_options = m.value;
            }
            return true;  // null is absent, as in OpenAI's API
        }
        return take_value(match.field, m);
    }

    bool take_value(chat_field field, const json_member& m) {
        chat_request& r = request_;
        switch (field) {
            case chat_field::model:
                return take_model(m);
            case chat_field::messages:
                r.messages = m.value;
                return (m.kind == json_kind::array && json_reader(m.value).next() != nullptr) ||
                       fail(wrong("messages", "a non-empty array of messages"));
            case chat_field::stream:
                r.stream = m.value == "true";
                return m.kind == json_kind::boolean || fail(wrong("stream", "true or false"));
            case chat_field::stream_options:
                return take_stream_options(m);
            case chat_field::tools:
                r.tools = m.value;
                return true;
            case chat_field::tool_choice:
                r.tool_choice = m.value;
                return true;
            case chat_field::max_tokens:
                r.max_tokens_key = m.key;
                return true;
            case chat_field::max_completion_tokens:
                r.limits_completion = true;
                return true;
            case chat_field::reasoning_effort:
                r.names_effort = true;
                return true;
            case chat_field::fallback:
                r.fallback = m.value;
                return (m.kind == json_kind::array && is_model_list(m.value)) ||
                       fail(wrong("fallback", "an array of at most 8 model names"));
            case chat_field::retries:
                r.retries = integer(m, 0, max_retries);
                return r.retries.has_value() || fail(wrong("retries", "an integer from 0 to 5"));
            case chat_field::timeout:
                return take_timeout(m);
            case chat_field::load_balance:
                return take_object(r.load_balance, field, m);
            case chat_field::guardrails:
                return take_object(r.guardrails, field, m);
            case chat_field::prompt_variables:
                return take_object(r.prompt_variables, field, m);
            case chat_field::prompt_id:
                r.prompt_id = m.value;
                return (m.kind == json_kind::string && m.value.size() > 2) ||
                       fail(wrong("prompt_id", "a non-empty string"));
            case chat_field::prompt_version:
                r.prompt_version = m.value;
                return integer(m, 1, 0x7FFFFFFF).has_value() || fail(wrong("prompt_version", "a positive integer"));
            case chat_field::none:
                break;
        }
        return true;
    }

    bool take_model(const json_member& m) {
        if (m.kind != json_kind::string || m.value.size() == 2) {
            return fail(wrong("model", "a non-empty string"));
        }
        request_.model_text = m.value;
        if (m.value_escaped) {
            request_.model_decoded = http::json_unquote(m.value).value_or(std::string());
        }
        return true;
    }

    bool take_timeout(const json_member& m) {
        const auto ms = integer(m, 1, static_cast<std::uint64_t>(max_timeout.count()));
        if (!ms) {
            return fail(wrong("timeout", "an integer from 1 to 300000 (milliseconds)"));
        }
        request_.timeout = std::chrono::milliseconds(*ms);
        return true;
    }

    bool take_object(std::string_view& target, chat_field field, const json_member& m) {
        target = m.value;
        return m.kind == json_kind::object || fail(wrong(name_of(field), "an object"));
    }

    bool take_stream_options(const json_member& m) {
        if (m.kind != json_kind::object) {
            return fail(wrong("stream_options", "an object"));
        }
        chat_request& r = request_;
        r.stream_options = m.value;
        const auto base = static_cast<std::size_t>(m.value.data() - body_.data());
        r.stream_options_end = base + 1;
        json_reader options(m.value);
        while (const json_member* option = options.next()) {
            r.stream_options_empty = false;
            r.stream_options_end = base + option->end;
            if (option->key != "include_usage" &&
                !(option->key_escaped && http::json_unescape(option->key) == "include_usage")) {
                continue;
            }
            if (!r.include_usage_value.empty()) {
                return fail(twice("stream_options.include_usage"));
            }
            if (option->kind != json_kind::boolean && option->kind != json_kind::null) {
                return fail(wrong("stream_options.include_usage", "true or false"));
            }
            r.include_usage_value = option->value;
            r.include_usage = option->value == "true";
        }
        return true;
    }

    std::string_view body_;
    chat_request request_;
    base::error error_;
    unsigned seen_ = 0;
    bool anything_kept_ = false;
    bool cut_at_front_ = false;
};

}  // namespace

base::result<chat_request> parse_chat_request(std::string_view body) {
    const std::size_t first = body.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) {
        return base::client_error(errc::bad_request, "The body is empty: send a JSON object.");
    }
    if (body[first] != '{') {
        const auto broken = http::check_json(body);
        return broken ? syntax_error(body, *broken)
                      : base::client_error(errc::bad_request, "The body must be a JSON object.");
    }
    return request_parser(body).run();
}

}  // namespace concurred::upstream
