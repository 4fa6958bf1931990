#include "upstream/forward.hpp"

#include "gateway/base/text_buffer.hpp"

#include <algorithm>
#include <array>

namespace concurred::upstream {

namespace {

using base::result;

constexpr std::size_t most_pieces = 24;

time_budgets budgets_of(const base::provider_config& config, std::chrono::milliseconds silence) noexcept {
    return {.first_token = config.first_token_timeout,
            .idle = config.idle_timeout,
            .total = config.total_timeout,
            .silence = silence};
}

base::task<result<net::lease>> connect(provider& to, http::exchange& x, bool fresh) {
    result<net::lease> lease = co_await to.pool().acquire(x.abort, fresh);
    co_return std::move(lease);
}

void name_dropped(std::span<const std::string> names, http::exchange& x) {
    if (names.empty()) {
        return;
    }
    std::string list;
    for (const std::string& name : names) {
        list.append(list.empty() ? "" : ", ").append(name);
    }
    x.headers.field("X-Concurred-Dropped-Params", list);
}

http::response answer_of(std::unique_ptr<relay> call, relay::started how, http::exchange& x) {
    http::response r;
    r.content_type = call->content_type();
    if (how == relay::started::silence || r.content_type.starts_with("text/event-stream")) {
        x.headers.append("Cache-Control: no-cache, no-transform\r\nX-Accel-Buffering: no\r\n");
    }
    r.status = how == relay::started::silence ? 200 : call->status();
    r.body = std::move(call);
    return r;
}

}  // namespace

base::task<result<http::response>> forward(forward_context context, provider& to, http::exchange& x,
                                           const prepared_request& request) {
    base::text_buffer<60> length;
    length.append("Content-Length: ").append(request.body().size()).append("\r\n\r\n");
    std::array<std::string_view, most_pieces> pieces{to.head_start(), request.path(),   to.head_rest(),
                                                     to.key_line(),   request.fields(), length.view()};
    constexpr std::size_t head_pieces = 6;
    const std::span<const std::string_view> body = request.body().pieces();
    std::copy(body.begin(), body.end(), pieces.begin() + head_pieces);
    const std::span<const std::string_view> message(pieces.data(), body.size() + head_pieces);

    relay::params params = request.relay_params();
    // Only in a stream is there a place for a comment.
    const time_budgets budgets =
        budgets_of(to.settings(), params.stream ? context.silence : std::chrono::milliseconds(0));
    params.key = to.settings().api_key;
    for (bool fresh = false;; fresh = true) {
        std::optional<net::lease> lease;
        if (!fresh) {
            lease = to.pool().try_acquire(std::chrono::steady_clock::now());
        }
        if (!lease) {
            result<net::lease> connected = co_await connect(to, x, fresh);
            if (!connected) {
                co_return connected.error();
            }
            lease = std::move(*connected);
        }
        x.times.connected = std::chrono::steady_clock::now();
        auto call = std::make_unique<relay>(std::move(*lease), to.name(), budgets, context.buffers, context.wheel, x,
                                            params, request.translator(), context.observer);
        const result<relay::started> begun = co_await call->start(message);
        if (begun) {
            name_dropped(request.dropped(), x);
            co_return answer_of(std::move(call), *begun, x);
        }
        if (fresh || begun.error().retry != base::retry_class::reused_only) {
            co_return begun.error();
        }
    }
}

}  // namespace concurred::upstream
