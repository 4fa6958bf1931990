#include "upstream/hedge.hpp"

#include "gateway/base/task_group.hpp"

#include <exception>
#include <utility>

namespace concurred::upstream {

using base::result;

hedge::hedge(routing_state& state, http::exchange& x, const routed_target& target, relay_observer& observer)
    : state_(state), exchange_(x), second_(state, stand_in_, x, target, observer), bell_(state.around.executor) {
    stand_in_.form = x.form;
    stand_in_.request_id = x.request_id;
}

base::task<> hedge::wait_for_first(attempt& first) {
    const result<relay::started> begun = co_await first.answer().resume();
    first_result_ = begun;
    bell_.ring();
}

base::task<> hedge::ask_second(const prepared_request& request, attempt_limits limits) {
    const result<relay::started> begun = co_await second_.start(request, limits);
    second_result_ = begun;
    bell_.ring();
}

// The client is gone, or the process ends. The first waits with the client's own signal, which this action has taken
// the place of.
void hedge::stop_both() noexcept {
    first_->answer().give_up();
    stand_in_.abort.fire(exchange_.abort.reason());
}

base::task<hedge::outcome> hedge::race(attempt& first, const prepared_request& request, const attempt_limits& limits) {
    first_ = &first;
    std::optional<base::error> first_failed;
    // An exception in one of them counts as its failure: the result stays unset, and the group's end tells.
    base::task_group both(state_.around.executor, [this](std::exception_ptr) { bell_.ring(); });
    {
        const http::abort_signal::scope on_abort(
            exchange_.abort, [](void* self) noexcept { static_cast<hedge*>(self)->stop_both(); }, this);
        attempt_limits of_second = limits;
        of_second.silence = std::chrono::milliseconds(0);  // the first one keeps the time for the client
        both.spawn(wait_for_first(first));
        both.spawn(ask_second(request, of_second));
        const auto over = [this, &both] {
            const bool first_good = first_result_ && *first_result_;
            const bool second_good = second_result_ && *second_result_;
            return first_good || second_good || both.running() == 0;
        };
        if (exchange_.abort.fired()) {
            stop_both();
        }
        while (!over()) {
            if (!bell_.take()) {
                co_await bell_.wait();
            }
            if (first_result_ && second_result_) {
                break;
            }
        }
        if (first_result_ && !*first_result_) {
            first_failed = first_result_->error();
        }
        if (!first_result_) {
            first.answer().give_up();
        }
        if (!second_result_) {
            stand_in_.abort.fire(http::abort_reason::client_gone);
        }
        co_await both.join();
    }
    const bool first_good = first_result_ && *first_result_;
    const bool second_good = second_result_ && *second_result_ && !first_good;
    result<relay::started> none = base::gateway_error(base::errc::internal, {});
    outcome o{second_good ? *second_result_ : first_result_.value_or(std::move(none)), second_good,
              std::move(first_failed)};
    co_return o;
}

void hedge::take_over() {
    exchange_.times.connected = stand_in_.times.connected;
    exchange_.times.first_byte = stand_in_.times.first_byte;
    exchange_.times.first_token = stand_in_.times.first_token;
    follows_.emplace(
        exchange_.abort,
        [](void* self) noexcept {
            auto& h = *static_cast<hedge*>(self);
            h.stand_in_.abort.fire(h.exchange_.abort.reason());
        },
        this);
    if (exchange_.abort.fired()) {
        stand_in_.abort.fire(exchange_.abort.reason());
    }
}

}  // namespace concurred::upstream
