#include "gateway/pipeline/observe.hpp"

#include <algorithm>

namespace concurred::pipeline {

namespace {

using base::steady_time;
using std::chrono::microseconds;

microseconds span(steady_time from, steady_time to) noexcept {
    return to > from ? std::chrono::duration_cast<microseconds>(to - from) : microseconds(0);
}

// ", name;dur=12.345"
void add(base::text_buffer<256>& out, std::string_view name, microseconds time) noexcept {
    const auto us = time.count();
    const auto rest = us % 1000;
    out.append(out.size() == 0 ? "" : ", ").append(name).append(";dur=").append(us / 1000);
    out.append(rest < 10 ? ".00" : rest < 100 ? ".0" : ".").append(rest);
}

}  // namespace

base::text_buffer<256> server_timing(const http::milestones& times, steady_time now) noexcept {
    base::text_buffer<256> out;
    microseconds elsewhere{0};
    steady_time last = times.arrived;
    const auto step = [&out, &last](std::string_view name, steady_time reached) {
        if (reached != steady_time()) {
            add(out, name, span(last, reached));
            last = reached;
        }
    };
    step("auth", times.authenticated);
    step("limit", times.limited);
    step("route", times.routed);
    if (times.connected != steady_time()) {
        elsewhere += span(last, times.connected);
        step("connect", times.connected);
    }
    if (times.first_byte != steady_time()) {
        elsewhere += span(last, times.first_byte);
        step("upstream", times.first_byte);
    }
    add(out, "gateway", std::max(span(times.arrived, now) - elsewhere, microseconds(0)));
    return out;
}

}  // namespace concurred::pipeline
