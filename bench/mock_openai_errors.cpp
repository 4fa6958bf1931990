#include "bench/mock_openai_errors.hpp"

#include "bench/mock_json.hpp"

#include <algorithm>
#include <array>

namespace concurred::bench {
namespace {

struct usual {
    unsigned status;
    std::string_view type;
    std::string_view code;
    std::string_view message;
};

constexpr std::array table{
    usual{400, "invalid_request_error", "", "The request was refused."},
    usual{401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided."},
    usual{403, "invalid_request_error", "unsupported_country_region_territory",
          "Country, region, or territory not supported"},
    usual{404, "invalid_request_error", "model_not_found", "The model does not exist or you do not have access to it."},
    usual{408, "invalid_request_error", "", "The request timed out."},
    usual{409, "invalid_request_error", "", "The resource was changed by another request."},
    usual{413, "invalid_request_error", "", "The request is too large."},
    usual{422, "invalid_request_error", "", "The request could not be processed."},
    usual{429, "requests", "rate_limit_exceeded",
          "Rate limit reached in organization org-mock on requests per min (RPM): Limit 3, Used 3, Requested 1."},
    usual{503, "server_error", "server_is_overloaded", "The engine is currently overloaded, please try again later."},
};
constexpr usual other_client{0, "invalid_request_error", "", "The request was refused."};
constexpr usual other_server{0, "server_error", "",
                             "The server had an error while processing your request. Sorry about that!"};

constexpr std::array<std::string_view, 5> money{"insufficient_quota", "credit_balance_exhausted",
                                                "organization_spend_limit_exceeded", "project_spend_limit_exceeded",
                                                "organization_usage_limit_exceeded"};

}  // namespace

std::string openai_error(std::string_view message, std::string_view type, std::string_view code,
                         std::string_view param) {
    const auto quoted_or_null = [](std::string& text, std::string_view value) {
        if (value.empty()) {
            text.append("null");
        } else {
            json::append_quoted(text, value);
        }
    };
    std::string text("{\"error\":{\"message\":");
    json::append_quoted(text, message);
    text.append(",\"type\":");
    json::append_quoted(text, type);
    text.append(",\"param\":");
    quoted_or_null(text, param);
    text.append(",\"code\":");
    quoted_or_null(text, code);
    return text.append("}}");
}

std::string openai_error_body(unsigned status, std::string_view code, std::string_view model) {
    const auto* row = std::ranges::find(table, status, &usual::status);
    const usual& found = row != table.end() ? *row : status < 500 ? other_client : other_server;
    std::string message(found.message);
    if ((status == 404 || status == 429) && !model.empty()) {
        const auto at = message.find(status == 404 ? " does not" : " in organization");
        message.insert(at, status == 404 ? " `" + std::string(model) + "`" : " for " + std::string(model));
    }
    if (std::ranges::find(money, code) != money.end()) {
        return openai_error("You exceeded your current quota, please check your plan and billing details.",
                            "insufficient_quota", code);
    }
    return openai_error(message, found.type, code.empty() ? found.code : code);
}

}  // namespace concurred::bench
