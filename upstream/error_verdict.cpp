#include "upstream/error_verdict.hpp"

#include <algorithm>
#include <array>

namespace concurred::upstream {

namespace {

bool contains(std::string_view text, std::string_view part) noexcept {
    return text.find(part) != std::string_view::npos;
}

struct minimax_row {
    long number;
    error_verdict verdict;
};

// Source: MiniMax's error code page as collected in the provider reference; from 1039 upward partly unconfirmed.
constexpr std::array minimax_rows{
    minimax_row{1000, {502, "", true}},
    minimax_row{1001, {504, "", true}},
    minimax_row{1002, {429, "rate_limit_exceeded", true}},
    minimax_row{1004, {401, "", false, true}},
    minimax_row{1008, {402, "insufficient_balance"}},
    minimax_row{1024, {502, "", true}},
    minimax_row{1026, {400, "content_policy_violation"}},
    minimax_row{1027, {400, "content_policy_violation"}},
    minimax_row{1028, {429, "insufficient_quota"}},
    minimax_row{1030, {429, "insufficient_quota"}},
    minimax_row{1033, {502, "", true}},
    minimax_row{1039, {429, "rate_limit_exceeded", true}},
    minimax_row{1041, {429, "rate_limit_exceeded", true}},
    minimax_row{1042, {400, ""}},
    minimax_row{2013, {400, ""}},
    minimax_row{2045, {429, "rate_limit_exceeded", true}},
    minimax_row{2049, {401, "", false, true}},
    minimax_row{2056, {429, "insufficient_quota"}},
    minimax_row{2061, {403, "model_not_allowed"}},
};

error_verdict judge_minimax(const error_fields& fields) {
    const auto row = std::find_if(minimax_rows.begin(), minimax_rows.end(),
                                  [&](const minimax_row& r) { return r.number == fields.number; });
    if (row == minimax_rows.end()) {
        const bool passing =
            contains(fields.message, "busy") || contains(fields.message, "timeout") || contains(fields.message, "rate");
        return {502, "", passing};
    }
    error_verdict verdict = row->verdict;
    if (verdict.status == 400 && contains(fields.message, "context window exceeds limit")) {
        verdict.code = "context_length_exceeded";
    }
    return verdict;
}

struct word_row {
    std::string_view word;
    unsigned status;
};

// xAI puts the sentence of a gRPC status into `code`; the others their own words into `code` or `type`.
constexpr std::array words{
    word_row{"The service is currently unavailable", 503},
    word_row{"Client specified an invalid argument", 400},
    word_row{"Client specified an invalid range", 400},
    word_row{"The request does not have valid authentication credentials", 401},
    word_row{"The caller does not have permission to execute the specified operation", 403},
    word_row{"Some requested entity was not found", 404},
    word_row{"Some resource has been exhausted", 429},
    word_row{"Deadline expired before operation could complete", 504},
    word_row{"server_is_overloaded", 503},
    word_row{"slow_down", 503},
    word_row{"overloaded_error", 503},
    word_row{"insufficient_quota", 429},
    word_row{"rate_limit_exceeded", 429},
    word_row{"rate_limit_error", 429},
    word_row{"invalid_api_key", 401},
    word_row{"authentication_error", 401},
    word_row{"permission_error", 403},
    word_row{"model_not_found", 404},
    word_row{"not_found_error", 404},
    word_row{"tool_call_invalid_arguments", 400},
    word_row{"invalid_request_error", 400},
};

/// Status of an error that came with a successful one.
unsigned implied_status(const error_fields& fields) {
    if (fields.number && *fields.number >= 400 && *fields.number <= 599) {
        return static_cast<unsigned>(*fields.number);
    }
    for (const std::string_view text : {std::string_view(fields.code), std::string_view(fields.type)}) {
        const auto row = std::find_if(words.begin(), words.end(), [&](const word_row& r) { return r.word == text; });
        if (row != words.end()) {
            return row->status;
        }
    }
    return 502;
}

bool is_retryable(unsigned status) noexcept {
    constexpr std::array<unsigned, 8> statuses{408, 429, 500, 502, 503, 504, 524, 529};
    return std::find(statuses.begin(), statuses.end(), status) != statuses.end();
}

/// A 403 that refuses what the request says, not who sends it.
bool is_content_refusal(const error_fields& fields) {
    return fields.moderated || fields.error_type == "content_policy_violation" || fields.error_type == "refusal" ||
           fields.code == "content_policy_violation" || contains(fields.message, "violates usage guidelines");
}

/// What Google says in its details, and in its message only.
void judge_google(const error_fields& fields, error_verdict& verdict) {
    verdict.key_fault =
        fields.reason == "API_KEY_INVALID" || (verdict.status == 400 && contains(fields.message, "API key not valid"));
    verdict.retry = verdict.retry && !fields.daily_quota;
    if (verdict.status == 400 && contains(fields.message, "exceeds the maximum number of tokens")) {
        verdict.code = "context_length_exceeded";
    }
}

}  // namespace

error_verdict judge_error(unsigned http_status, const error_fields& fields, std::string_view provider) {
    if (fields.base_resp) {
        return judge_minimax(fields);
    }
    error_verdict verdict;
    verdict.status = http_status >= 200 && http_status < 300 ? implied_status(fields) : http_status;
    if (fields.code == "The service is currently unavailable") {
        verdict.status = 503;  // xAI sends it with several statuses
    }
    // The model may do better next time.
    verdict.retry = is_retryable(verdict.status) || fields.code == "tool_call_invalid_arguments";
    if (!fields.status.empty()) {
        judge_google(fields, verdict);
    }
    if (verdict.status == 403 && is_content_refusal(fields)) {
        verdict.code = "content_policy_violation";
        return verdict;
    }
    // xAI answers a wrong key with 400 as well.
    verdict.key_fault = verdict.key_fault || verdict.status == 401 || verdict.status == 403 ||
                        (verdict.status == 400 && provider == "x-ai" && contains(fields.message, "Incorrect API key"));
    return verdict;
}

bool is_quota_error(const error_fields& fields, const error_verdict& verdict) {
    constexpr std::array<std::string_view, 6> codes{
        "insufficient_quota",           "credit_balance_exhausted",          "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded", "organization_usage_limit_exceeded", "payment_required"};
    const auto listed = [&](std::string_view code) {
        return std::find(codes.begin(), codes.end(), code) != codes.end();
    };
    return verdict.status == 402 || listed(fields.type) || listed(fields.code) || listed(fields.error_type) ||
           listed(verdict.code);
}

}  // namespace concurred::upstream
