#include "bench/mock_anthropic_text.hpp"

#include "bench/mock_json.hpp"
#include "bench/mock_template.hpp"

#include <algorithm>
#include <array>

namespace concurred::bench {
namespace {

struct usual {
    unsigned status;
    std::string_view type;
    std::string_view message;
};

// Source: reference of providers, section 3.5.
constexpr std::array table{
    usual{400, "invalid_request_error", "The request was refused."},
    usual{401, "authentication_error", "invalid x-api-key"},
    usual{402, "billing_error", "Your credit balance is too low to access the Anthropic API."},
    usual{403, "permission_error", "Your API key does not have permission to use the specified resource."},
    usual{404, "not_found_error", "model: "},
    usual{409, "conflict_error", "The resource was changed by another request."},
    usual{413, "request_too_large", "Request exceeds the maximum allowed number of bytes."},
    usual{429, "rate_limit_error",
          "This request would exceed your organization's rate limit of 50,000 input tokens per minute."},
    usual{500, "api_error", "Internal server error"},
    usual{504, "timeout_error", "The request timed out."},
    usual{529, "overloaded_error", "Overloaded"},
};

const usual& usual_of(unsigned status) noexcept {
    const auto* row = std::ranges::find(table, status, &usual::status);
    return row != table.end() ? *row : status < 500 ? table[0] : table[8];
}

bool about_money(std::string_view code) noexcept {
    return code == "enforced_spend_limit_reached" || code == "contract_spend_limit_reached";
}

std::string request_id() {
    std::string id = "req_mock";
    id += mock_stamp::number_mark;
    return id;
}

}  // namespace

std::string anthropic_error(unsigned status, std::string_view type, std::string_view message) {
    std::string text = "{\"type\":\"error\",\"error\":{\"type\":";
    json::append_quoted(text, type.empty() ? usual_of(status).type : type);
    json::append_quoted(text.append(",\"message\":"), message);
    return text.append("},\"request_id\":\"").append(request_id()).append("\"}");
}

std::string anthropic_error_body(unsigned status, std::string_view code, std::string_view model) {
    const usual& row = usual_of(status);
    std::string message(row.message);
    if (status == 404) {
        message.append(model);
    }
    if (!about_money(code)) {
        return anthropic_error(status, code, message);
    }
    std::string text = anthropic_error(status, "", "You have reached your specified API usage limits.");
    return text.insert(text.find("},\"request_id\""), ",\"details\":{\"error_code\":\"" + std::string(code) + "\"}");
}

std::string anthropic_error_event(std::string_view type) {
    return "event: error\ndata: " + anthropic_error(529, type, "Overloaded") + "\n\n";
}

std::string anthropic_fields(const mock_settings& settings) {
    std::string text = "request-id: " + request_id() + "\r\nanthropic-organization-id: org-mock\r\n";
    if (settings.ratelimits) {
        constexpr std::array<std::array<std::string_view, 3>, 4> limits{{
            {"requests", "4000", "3999"},
            {"tokens", "480000", "479000"},
            {"input-tokens", "400000", "399000"},
            {"output-tokens", "80000", "80000"},
        }};
        for (const auto& [what, limit, left] : limits) {
            const std::string start = "anthropic-ratelimit-" + std::string(what);
            text.append(start).append("-limit: ").append(limit).append("\r\n");
            text.append(start).append("-remaining: ").append(left).append("\r\n");
            text.append(start).append("-reset: ");
            text += mock_stamp::instant_mark;
            text.append("\r\n");
        }
    }
    return text;
}

std::string anthropic_models(std::span<const std::string> models) {
    std::string text = "{\"data\":[";
    std::string first = "null";
    std::string last = "null";
    for (const auto& model : models) {
        std::string id;
        json::append_quoted(id, model);
        text.append(text.back() == '[' ? "" : ",").append("{\"id\":").append(id);
        text.append(",\"type\":\"model\",\"display_name\":").append(id);
        text.append(",\"created_at\":\"2023-11-14T22:13:20Z\",\"max_input_tokens\":200000,\"max_tokens\":64000}");
        first = first == "null" ? id : first;
        last = id;
    }
    return text.append("],\"has_more\":false,\"first_id\":").append(first).append(",\"last_id\":").append(last) + "}";
}

}  // namespace concurred::bench
