#include "bench/mock_gemini_text.hpp"

#include "bench/mock_json.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace concurred::bench {
namespace {

struct usual {
    unsigned status;
    std::string_view word;
    std::string_view message;
};

// Source: reference of providers, section 4.5.
constexpr std::array table{
    usual{400, "INVALID_ARGUMENT", "Request contains an invalid argument."},
    usual{401, "UNAUTHENTICATED", "Request had invalid authentication credentials."},
    usual{403, "PERMISSION_DENIED", "The caller does not have permission"},
    usual{404, "NOT_FOUND", "The model is not found for API version v1beta, or is not supported for generateContent."},
    usual{409, "ABORTED", "The operation was aborted."},
    usual{413, "INVALID_ARGUMENT", "Request payload size exceeds the limit: 20971520 bytes."},
    usual{429, "RESOURCE_EXHAUSTED", "You exceeded your current quota, please check your plan and billing details."},
    usual{499, "CANCELLED", "The operation was cancelled."},
    usual{500, "INTERNAL", "An internal error has occurred. Please retry or report."},
    usual{503, "UNAVAILABLE", "The model is overloaded. Please try again later."},
    usual{504, "DEADLINE_EXCEEDED", "The request timed out. Please try again."},
};

const usual& usual_of(unsigned status) noexcept {
    const auto* row = std::ranges::find(table, status, &usual::status);
    return row != table.end() ? *row : status < 500 ? table[0] : table[8];
}

constexpr std::string_view invalid_key = "API_KEY_INVALID";

std::string error(unsigned status, std::string_view message, std::string_view word, const std::string& details) {
    std::string text = "{\"error\":{\"code\":" + std::to_string(status) + ",\"message\":";
    json::append_quoted(text, message);
    json::append_quoted(text.append(",\"status\":"), word.empty() ? usual_of(status).word : word);
    text.append(details.empty() ? "" : ",\"details\":[" + details + "]");
    return text.append("}}");
}

std::string detail(std::string_view type, const std::string& fields) {
    return "{\"@type\":\"type.googleapis.com/google.rpc." + std::string(type) + "\"," + fields + "}";
}

std::string key_detail() {
    return detail("ErrorInfo", R"("reason":"API_KEY_INVALID","domain":"googleapis.com",)"
                               R"("metadata":{"service":"generativelanguage.googleapis.com"})");
}

/// `34.4s`
std::string retry_delay(const mock_settings& settings) {
    if (settings.retry_after_ms.empty()) {
        return settings.retry_after.empty() ? std::string{} : settings.retry_after + "s";
    }
    std::uint32_t ms = 0;
    std::from_chars(settings.retry_after_ms.data(), settings.retry_after_ms.data() + settings.retry_after_ms.size(),
                    ms);
    std::string text = std::to_string(ms / 1000);
    if (ms % 1000 != 0) {
        text.append(".").append(std::to_string(1000 + ms % 1000), 1);
    }
    return text + "s";
}

}  // namespace

std::string gemini_error_body(const mock_settings& settings) {
    const usual& row = usual_of(settings.status);
    if (settings.code == invalid_key) {
        return error(settings.status, "API key not valid. Please pass a valid API key.", row.word, key_detail());
    }
    const bool quota = settings.code.starts_with("Generate");
    std::string details;
    if (settings.status == 429) {
        std::string id;
        json::append_quoted(id, quota ? settings.code : "GenerateRequestsPerMinutePerProjectPerModel-FreeTier");
        details = detail("QuotaFailure", "\"violations\":[{\"quotaId\":" + id + "}]");
    }
    if (const std::string delay = retry_delay(settings); !delay.empty()) {
        details.append(details.empty() ? "" : ",");
        details.append(detail("RetryInfo", "\"retryDelay\":\"" + delay + "\""));
    }
    return error(settings.status, row.message, quota ? std::string_view{} : settings.code, details);
}

std::string gemini_failure_body(const mock_failure& failure) {
    std::string details;
    if (failure.code == invalid_key) {
        details = key_detail();
    } else if (!failure.param.empty()) {
        std::string violation = "\"fieldViolations\":[{\"field\":";
        json::append_quoted(violation, failure.param);
        json::append_quoted(violation.append(",\"description\":"), failure.message);
        details = detail("BadRequest", violation + "}]");
    }
    return error(failure.status, failure.message, "", details);
}

std::string gemini_error_event(std::string_view word) {
    const auto* row = std::ranges::find(table, word, &usual::word);
    const usual& found = row == table.end() ? usual_of(503) : *row;
    return "data: " + error(found.status, found.message, word, "") + "\r\n\r\n";
}

std::string gemini_models(std::span<const std::string> models) {
    std::string text = "{\"models\":[";
    for (const auto& model : models) {
        json::append_quoted(text.append(text.back() == '[' ? "" : ",").append("{\"name\":"), "models/" + model);
        json::append_quoted(text.append(",\"displayName\":"), model);
        text.append(R"(,"version":"1","description":"mock","inputTokenLimit":1048576,"outputTokenLimit":65536,)");
        text.append(R"("supportedGenerationMethods":["generateContent","countTokens"],"temperature":1,)");
        text.append(R"("maxTemperature":2,"topP":0.95,"topK":64,"thinking":true})");
    }
    return text.append("]}");
}

std::string percent_decoded(std::string_view text) {
    std::string decoded;
    for (std::size_t at = 0; at < text.size(); ++at) {
        unsigned value = 0;
        const char* begin = text.data() + at + 1;
        if (text[at] == '%' && at + 2 < text.size() && std::from_chars(begin, begin + 2, value, 16).ptr == begin + 2) {
            decoded += static_cast<char>(value);
            at += 2;
        } else {
            decoded += text[at];
        }
    }
    return decoded;
}

std::string_view query_value(std::string_view query, std::string_view name) noexcept {
    while (!query.empty()) {
        const auto end = std::min(query.find('&'), query.size());
        const std::string_view pair = query.substr(0, end);
        if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=') {
            return pair.substr(name.size() + 1);
        }
        query.remove_prefix(std::min(end + 1, query.size()));
    }
    return {};
}

}  // namespace concurred::bench
