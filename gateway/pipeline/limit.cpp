#include "gateway/pipeline/limit.hpp"

#include "auth/limit_headers.hpp"
#include "auth/principal.hpp"
#include "auth/spend_books.hpp"
#include "gateway/pipeline/ready.hpp"
#include "gateway/pipeline/router.hpp"
#include "storage/call.hpp"

#include <chrono>
#include <string>
#include <utility>

namespace concurred::pipeline {

base::task<base::result<http::response>> limit::handle(http::exchange& x) {
    if (x.principal == nullptr) {
        return next_.handle(x);
    }
    const auto row = static_cast<auth::path_class>(x.endpoint->limit_class);
    const std::int64_t now = base::micros(x.times.authenticated);
    if (shared_ == nullptr) {
        return go_on(x, limiter_.admit(*x.principal, row, now));
    }
    if (const auto decision = shared_->decide_now(*x.principal, row, now)) {
        return go_on(x, *decision);
    }
    if (x.spend != nullptr && x.endpoint->asks_provider) {
        return go_on_owing(x, {*x.principal, row});
    }
    return ask(x, *x.principal, row);
}

base::task<base::result<http::response>> limit::ask(http::exchange& x, auth::principal who, auth::path_class row) {
    x.principal = nullptr;  // `who` is a copy that lasts
    const auth::limit_decision decision = co_await shared_->ask(std::move(who), row);
    base::result<http::response> r = co_await go_on(x, decision);
    co_return std::move(r);
}

base::task<base::result<http::response>> limit::go_on(http::exchange& x, const auth::limit_decision& decision) {
    x.principal = nullptr;  // not valid beyond this turn, and not needed
    x.headers.append(auth::limit_headers(decision, x.arrived_at).view());
    x.times.limited = std::chrono::steady_clock::now();
    if (!decision.allowed) {
        return ready(auth::limit_error(decision));
    }
    return proceed(x);
}

/// The request goes on, and its unit is taken with all that it may use, in one step: what that is, is known when the
/// model is. A request that does not get so far pays for its unit at the end.
base::task<base::result<http::response>> limit::go_on_owing(http::exchange& x, auth::owed_request owed) {
    x.principal = nullptr;
    x.owed = &owed;
    x.times.limited = std::chrono::steady_clock::now();
    base::result<http::response> r = co_await proceed(x);
    if (x.owed == nullptr) {
        co_return std::move(r);
    }
    x.owed = nullptr;
    const auth::limit_decision decision = co_await shared_->ask(owed.who, owed.path);
    x.headers.append(auth::limit_headers(decision, x.arrived_at).view());
    if (!decision.allowed) {
        co_return auth::limit_error(decision);
    }
    co_return std::move(r);
}

base::task<base::result<http::response>> limit::proceed(http::exchange& x) {
    if (x.spend != nullptr && !x.spend->known.load(std::memory_order_acquire) && x.spend->limits().has_budget()) {
        return learn_spent(x);
    }
    return next_.handle(x);
}

/// Once for each key with a budget in the life of the process: what it has spent before.
base::task<base::result<http::response>> limit::learn_spent(http::exchange& x) {
    auto read = [this, key = std::string(x.usage.key_id.view()), now = x.arrived_at] {
        return auth::read_spent(store_, key, now);
    };
    const auto spent = co_await storage::call(database_, shard_, std::move(read));
    if (!spent || !*spent) {
        base::error e = base::gateway_error(base::errc::service_unavailable,
                                            "The key's budget cannot be read at the moment. Try again soon.");
        e.retry_after = std::chrono::seconds(1);
        co_return e;
    }
    x.spend->known_spent(x.arrived_at, (**spent).day_nano_usd, (**spent).month_nano_usd);
    base::result<http::response> r = co_await next_.handle(x);
    co_return std::move(r);
}

base::task<base::result<http::response>> dispatch::handle(http::exchange& x) {
    return x.endpoint->handler->handle(x);
}

}  // namespace concurred::pipeline
