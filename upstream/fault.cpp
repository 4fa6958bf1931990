#include "upstream/fault.hpp"

namespace concurred::upstream {

using base::errc;

bool is_about_money(const base::error& e) noexcept {
    return e.code == errc::upstream_status && (e.upstream_status == 402 || e.upstream_type == "insufficient_quota");
}

blame blame_for(const base::error& e, attempt_phase phase) noexcept {
    switch (e.code) {
        case errc::upstream_authentication_failed:
            return blame::key;
        case errc::upstream_error:
        case errc::upstream_timeout:
            return phase == attempt_phase::connecting ? blame::way : blame::answer;
        case errc::upstream_status:
            break;
        case errc::model_unavailable:
            return blame::model;
        default:
            return e.source == base::error_source::client && e.code != errc::client_gone ? blame::request
                                                                                         : blame::nobody;
    }
    if (e.upstream_code == "tool_call_invalid_arguments") {
        return blame::answer;  // the model's, not the request's: it may do better next time
    }
    if (e.upstream_status >= 500 || e.upstream_status == 408) {
        return blame::answer;
    }
    if (e.upstream_status == 401 || e.upstream_status == 429 || is_about_money(e)) {
        return blame::key;
    }
    if (e.upstream_status == 404 || e.upstream_code == "context_length_exceeded") {
        return blame::model;
    }
    return blame::request;
}

std::string_view reason_text(const base::error& e, attempt_phase phase) noexcept {
    switch (blame_for(e, phase)) {
        case blame::nobody:
            return e.code == errc::client_gone ? "client_gone" : "no_capacity";
        case blame::request:
            return "request";
        case blame::model:
            return e.code == errc::model_unavailable ? "unavailable" : "model";
        case blame::key:
            return is_about_money(e) ? "quota" : base::status_of(e) == 429 ? "rate_limited" : "key";
        case blame::way:
            return e.code == errc::upstream_timeout ? "connect_timeout" : "connect";
        case blame::answer:
            break;
    }
    if (e.code == errc::upstream_timeout || base::status_of(e) == 408) {
        return "timeout";
    }
    return base::status_of(e) == 503 ? "overloaded" : "error";
}

}  // namespace concurred::upstream
