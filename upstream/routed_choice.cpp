// The part of routed_call that decides what is tried next; see routed_call.hpp.

#include "gateway/base/json_text.hpp"
#include "upstream/routed_call.hpp"

#include <algorithm>
#include <utility>

namespace concurred::upstream {

namespace {

using base::errc;
using base::result;
using base::steady_time;
using clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// What OpenAI's SDKs repeat by themselves unless they are told not to.
bool is_repeated_by_sdks(unsigned status) noexcept {
    return status == 408 || status == 409 || status == 429 || status >= 500;
}

std::string_view text_of(retry_step step) noexcept {
    return step == retry_step::repeat ? "repeat" : step == retry_step::next_target ? "fallback" : "error";
}

}  // namespace

result<void> routed_call::find_targets(std::string_view requested, const routing_request* wishes) {
    const result<void> made =
        targets_.make(state_, requested, wishes, params_.stream,
                      {.owner = exchange_.usage.owner.view(), .slug = exchange_.head.find("x-provider-key")});
    if (targets_.size() != 0) {
        show_target(targets_[0].target, targets_[0].own != nullptr);
    } else if (targets_.unavailable()) {
        show_target(*targets_.unavailable(), false);
    }
    return made;
}

/// Sees to it that there is a target, and that the request is in its words. Errors: what the client is told.
result<void> routed_call::choose() {
    const steady_time now = clock::now();
    if (target_ != nullptr && !target_list::lets_through(*target_, now)) {
        leave_target("open");  // others have found out in the meantime
    }
    while (target_ == nullptr) {
        routed_target* const chosen = targets_.next(now);
        if (chosen == nullptr) {
            return first_error_ ? final_error() : all_closed_off();
        }
        chosen->tried = true;
        show_target(chosen->target, chosen->own != nullptr);
        if (first_ == nullptr) {
            first_ = &targets_[0];
            if (chosen != first_) {
                const bool open = !target_list::lets_through(*first_, now);
                target_ = first_;
                leave_target(open ? "open" : "key_resting");
            } else if (targets_.unavailable()) {
                fallback_reason_ = "unavailable";
                exchange_.fallback_from = targets_.unavailable()->model;
            }
        }
        if (result<void> ok = prepare(request_, *chosen); !ok) {
            // What the model that was asked for cannot do the client has to know. A fallback is passed over.
            if (!first_error_) {
                return ok;
            }
            note_failure(ok.error(), attempt_phase::preparing, {retry_step::next_target});
            continue;
        }
        target_ = chosen;
        told_ = false;
        repeats_ = 0;
    }
    return {};
}

/// Tells of the target that was chosen. Errors: what the client is told.
result<void> routed_call::tell() {
    const result<void> ok = observer_.about_to_ask(exchange_, client_body(), target_->target.max_output_tokens);
    if (ok) {
        told_ = true;
        target_->to->repeats().earn();
        state_.hedges.earn();
    }
    return ok;
}

void routed_call::show_target(const route_target& t, bool byok) noexcept {
    exchange_.usage.provider = t.provider;
    exchange_.usage.model = t.model;
    exchange_.usage.byok = byok;
    exchange_.price = t.price;
}

retry_decision routed_call::judge(const base::error& e, attempt_phase phase) {
    const steady_time now = clock::now();
    retry_question q;
    q.fault = blame_for(e, phase);
    q.repeatable = e.retry != base::retry_class::never;
    q.money = is_about_money(e);
    q.asked = e.retry_after;
    q.repeats = repeats_;
    q.allowed = params_.retries;
    q.other_key = !target_->own && target_->to->keys().size() > 1 && target_->to->keys().any_awake(now);
    if (target_->own && q.fault == blame::key) {
        targets_.own_keys_only();
    }
    q.other_target = targets_.next(now) != nullptr;
    q.open = !target_list::lets_through(*target_, now);
    q.left = deadline_ == steady_time::max() ? milliseconds::max()
                                             : std::chrono::duration_cast<milliseconds>(deadline_ - now);
    q.dice = state_.dice();
    q.backoff = state_.around.settings.backoff;
    // The caller's own key was refused: that is told, and nothing is sent with another one.
    if (target_->own && q.fault == blame::key && base::status_of(e) != 429) {
        return {retry_step::give_up};
    }
    retry_decision d = decide_retry(q);
    if (d.step == retry_step::repeat && !target_->to->repeats().spend(now)) {
        d = {q.other_target ? retry_step::next_target : retry_step::give_up};
    }
    return d;
}

/// An attempt has failed before the client saw anything of an answer. Returns whether there is more to try.
bool routed_call::failed(base::error e) {
    const attempt_phase phase = attempt_->phase();
    if (exchange_.abort.fired()) {
        attempt_.reset();
        first_error_ = std::move(e);
        return false;
    }
    if (clock::now() >= deadline_) {
        attempt_.reset();  // the request's own time: nobody else is to blame
        first_error_ = out_of_time();
        return false;
    }
    attempt_->failed(e, blame_for(e, phase));
    const retry_decision d = judge(e, phase);
    note_failure(e, phase, d);
    const std::string_view reason = reason_text(e, phase);
    if (error_of_ == nullptr || error_of_ == target_) {
        error_of_ = target_;
        first_error_ = std::move(e);
    }
    if (d.step == retry_step::repeat) {
        ++repeats_;
        ++exchange_.retries;
        pause_until_ = d.wait.count() > 0 ? clock::now() + d.wait : steady_time();
        state_.around.metrics.retried(target_->to->name(), reason);
        return true;
    }
    if (d.step == retry_step::next_target) {
        leave_target(reason);
        return true;
    }
    return false;
}

void routed_call::leave_target(std::string_view reason) {
    state_.around.metrics.fallback(target_->to->name(), reason);
    if (fallback_reason_.empty()) {
        fallback_reason_ = reason;
        exchange_.fallback_from = first_->target.model;
    }
    target_ = nullptr;
}

void routed_call::note_failure(const base::error& e, attempt_phase phase, const retry_decision& next) {
    const std::string_view reason = reason_text(e, phase);
    const std::string_view model = exchange_.usage.model.view();
    ++attempts_;
    tried_ += tried_.empty() ? "" : ",";
    tried_ += "{\"model\":";
    base::append_json_text(tried_, model);
    tried_.append(",\"reason\":\"").append(reason).append("\"}");
    state_.around.log.info("an attempt failed", {{"provider", exchange_.usage.provider.view()},
                                                 {"model", model},
                                                 {"reason", reason},
                                                 {"detail", base::text_of(e)},
                                                 {"next", text_of(next.step)},
                                                 {"wait_ms", next.wait.count()},
                                                 {"request_id", exchange_.request_id.view()}});
}

/// The error of the model that was asked for, with all that was tried, and whether repeating it is of any use.
base::error routed_call::final_error() {
    base::error e = std::move(*first_error_);
    if (e.code == errc::client_gone || exchange_.abort.fired()) {
        return e;
    }
    if (error_of_ != nullptr) {
        show_target(error_of_->target, error_of_->own != nullptr);
    }
    if (attempts_ > 1 && e.details.empty()) {
        e.details = "{\"attempts\":[" + tried_ + "]}";
    }
    const bool hopeless = is_about_money(e) || e.code == errc::upstream_authentication_failed;
    const bool exhausted = attempts_ > 1 && e.retry_after.count() == 0;
    if (is_repeated_by_sdks(base::status_of(e)) && (hopeless || exhausted)) {
        exchange_.headers.append("x-should-retry: false\r\n");
    }
    return e;
}

base::error routed_call::out_of_time() const {
    const auto ms = params_.timeout.count();
    const std::string limit = ms % 1000 == 0 ? std::to_string(ms / 1000) + " s" : std::to_string(ms) + " ms";
    return base::upstream_error(errc::upstream_timeout, "No answer has begun within " + limit + " (timeout).");
}

base::error routed_call::all_closed_off() {
    const steady_time now = clock::now();
    base::error e = base::gateway_error(
        errc::model_unavailable,
        targets_.size() == 1 ? "The provider '" + std::string(targets_[0].to->name()) +
                                   "' has failed too often of late: this model is tried again soon."
                             : "The providers of all these models have failed too often of late: they are tried "
                               "again soon.");
    e.retry_after = targets_.opens_in(now);
    return e;
}

}  // namespace concurred::upstream
