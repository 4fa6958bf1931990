#include "upstream/google_error.hpp"

#include "upstream/json_parts.hpp"

namespace concurred::upstream {

namespace {

bool names_a_day(const json_part& violations) {
    http::json_reader elements(violations.is_array() ? violations.raw : std::string_view("[]"));
    while (const http::json_member* m = elements.next()) {
        const std::string quota = member_of(m->value, "quotaId").text();
        if (quota.find("PerDay") != std::string::npos) {
            return true;
        }
    }
    return false;
}

}  // namespace

void read_google_details(std::string_view details, error_fields& fields) {
    http::json_reader elements(details);
    while (const http::json_member* m = elements.next()) {
        json_part type;
        json_part reason;
        json_part delay;
        json_part violations;
        read_members(m->value,
                     {{"@type", &type}, {"reason", &reason}, {"retryDelay", &delay}, {"violations", &violations}});
        const std::string name = type.text();
        if (name.ends_with("google.rpc.ErrorInfo")) {
            fields.reason = reason.text();
        } else if (name.ends_with("google.rpc.RetryInfo")) {
            fields.retry_delay = delay.text();
            if (fields.retry_delay.ends_with('s')) {
                fields.retry_delay.pop_back();
            }
        } else if (name.ends_with("google.rpc.QuotaFailure")) {
            fields.daily_quota = fields.daily_quota || names_a_day(violations);
        }
    }
}

}  // namespace concurred::upstream
