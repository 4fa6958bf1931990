#include "upstream/provider_error.hpp"

#include "gateway/base/json_text.hpp"
#include "upstream/error_fields.hpp"
#include "upstream/error_verdict.hpp"
#include "upstream/retry_after.hpp"
#include "upstream/scrub.hpp"

#include <string>
#include <utility>

namespace concurred::upstream {

namespace {

using base::errc;
using base::retry_class;

/// Longest code, type and parameter name that is passed on, in bytes.
constexpr std::size_t max_word = 128;

std::string clean(std::string_view text, std::string_view key, std::size_t limit) {
    return std::string(base::cut_text(scrub_secrets(text, key), limit));
}

std::string_view type_for(unsigned status) noexcept {
    switch (status) {
        case 401:
            return "authentication_error";
        case 402:
            return "insufficient_quota";
        case 403:
            return "permission_error";
        case 429:
            return "rate_limit_error";
        default:
            return status >= 500 ? "server_error" : "invalid_request_error";
    }
}

std::string_view code_for(unsigned status) noexcept {
    switch (status) {
        case 402:
            return "insufficient_quota";
        case 403:
            return base::traits_of(errc::forbidden).code;
        case 404:
            return "model_not_found";
        case 408:
            return base::traits_of(errc::request_timeout).code;
        case 409:
            return base::traits_of(errc::conflict).code;
        case 413:
            return base::traits_of(errc::payload_too_large).code;
        case 415:
            return base::traits_of(errc::unsupported_media_type).code;
        case 429:
            return "rate_limit_exceeded";
        default:
            return base::traits_of(errc::bad_request).code;
    }
}

/// The provider's own code when it is a word and not a sentence.
std::string code_of(const error_fields& fields, const error_verdict& verdict, std::string_view key) {
    const auto is_word = [](std::string_view code) {
        return !code.empty() && code.find(' ') == std::string_view::npos;
    };
    if (!fields.base_resp && is_word(fields.code)) {
        return clean(fields.code, key, max_word);
    }
    if (!verdict.code.empty()) {
        return std::string(verdict.code);
    }
    if (is_word(fields.error_type) && fields.error_type != "unmapped") {
        return clean(fields.error_type, key, max_word);
    }
    return std::string(code_for(verdict.status));
}

std::string type_of(const error_fields& fields, const error_verdict& verdict, bool quota, std::string_view key) {
    if (quota) {
        return "insufficient_quota";
    }
    // OpenAI names the limit that was hit ("requests", "tokens"): no client looks for that.
    if (fields.type.empty() || verdict.status == 429) {
        return std::string(type_for(verdict.status));
    }
    return clean(fields.type, key, max_word);
}

std::string message_of(const provider_answer& answer, const error_fields& fields) {
    if (!fields.message.empty()) {
        return clean(fields.message, answer.key, max_error_message);
    }
    if (answer.status >= 300 && answer.status < 400) {
        return "The provider answered with a redirect, which is not followed.";
    }
    return answer.status < 300 ? "The provider reported an error."
                               : "The provider answered with status " + std::to_string(answer.status) + ".";
}

std::string slug_of(const provider_answer& answer) {
    return answer.key_slug.empty() ? std::string() : " '" + std::string(answer.key_slug) + "'";
}

base::error key_error(const provider_answer& answer) {
    if (!answer.byok) {
        return base::upstream_error(errc::upstream_authentication_failed, {});
    }
    base::error e =
        base::upstream_error(errc::upstream_status, "The provider refused your stored provider key" + slug_of(answer) +
                                                        ". Check it, or store a new one.");
    e.upstream_status = 401;
    e.upstream_code = base::traits_of(errc::upstream_authentication_failed).code;
    e.upstream_type = type_for(401);
    return e;
}

/// Faults of a provider that have a code of their own; empty: they have not.
std::string_view fault_code(const error_fields& fields) noexcept {
    if (fields.code == "malformed_function_call") {
        return fields.code;
    }
    return fields.error_type == "provider_unavailable" ? "upstream_unavailable" : "";
}

/// The error as the caller sees it, with its status; without what is about sending the request again.
base::error make_error(const provider_answer& answer, const error_fields& fields, const error_verdict& verdict) {
    if (verdict.key_fault) {
        return key_error(answer);
    }
    std::string message = message_of(answer, fields);
    if (verdict.status == 504 || verdict.status == 524) {
        return base::upstream_error(errc::upstream_timeout, std::move(message));
    }
    if (verdict.status == 503 || verdict.status == 529) {
        base::error e = base::upstream_error(errc::upstream_status, std::move(message));
        e.upstream_status = 503;
        e.upstream_code = "upstream_overloaded";
        e.upstream_type = type_for(503);
        return e;
    }
    if (verdict.status < 400 || verdict.status > 499) {
        base::error e = base::upstream_error(errc::upstream_error, std::move(message));
        e.upstream_code = fault_code(fields);
        return e;
    }
    if (answer.byok && (verdict.status == 402 || verdict.status == 429)) {
        // Whose limit it is: the gateway has limits of its own.
        message.insert(0, "Your provider key" + slug_of(answer) + ": ");
    }
    base::error e = base::upstream_error(errc::upstream_status, std::move(message));
    e.upstream_status = verdict.status;
    e.upstream_code = code_of(fields, verdict, answer.key);
    e.upstream_type = type_of(fields, verdict, is_quota_error(fields, verdict), answer.key);
    e.param = clean(fields.param, answer.key, max_word);
    return e;
}

}  // namespace

base::error error_from_answer(const provider_answer& answer, base::wall_time now) {
    const error_fields fields = read_error_fields(answer.body.substr(0, max_error_body)).value_or(error_fields{});
    const error_verdict verdict = judge_error(answer.status, fields, answer.provider);
    base::error e = make_error(answer, fields, verdict);

    const bool retry = verdict.retry && !verdict.key_fault && !is_quota_error(fields, verdict);
    e.retry = answer.should_retry.value_or(retry) ? retry_class::safe : retry_class::never;
    if (verdict.status == 408 || verdict.status == 429 || verdict.status >= 500) {
        auto wait = parse_retry_after_ms(answer.retry_after_ms);
        if (!wait) {
            wait = parse_retry_after(answer.retry_after, now);
        }
        if (!wait) {
            wait = parse_retry_after(fields.retry_delay, now);
        }
        e.retry_after = wait.value_or(std::chrono::milliseconds{0});
    }
    return e;
}

}  // namespace concurred::upstream
