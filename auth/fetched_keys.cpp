#include "auth/fetched_keys.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace concurred::auth {

namespace {

using clock = std::chrono::steady_clock;

}  // namespace

fetched_keys::fetched_keys(params p)
    : executor_(p.executor),
      client_(p.client),
      path_(std::move(p.path)),
      background_(p.background),
      log_(p.log),
      keys_(std::move(p.configured)),
      configured_(keys_.size()) {}

std::span<const named_key> fetched_keys::known() noexcept {
    switch (schedule_.current(clock::now())) {
        case jwks_schedule::advice::nothing_to:
            return std::span(keys_).first(configured_);
        case jwks_schedule::advice::refresh:
            if (!fetching_) {
                background_.spawn(refresh());
            }
            break;
        case jwks_schedule::advice::use:
            break;
    }
    return keys_;
}

base::task<> fetched_keys::refresh() {
    static_cast<void>(co_await fetch());
}

base::task<bool> fetched_keys::learn(std::string key_id) {
    if (!fetching_ && !schedule_.fetch_for(key_id, clock::now())) {
        co_return !schedule_.failing();
    }
    const bool reached = co_await fetch();
    if (reached && std::ranges::find(keys_, key_id, &named_key::id) == keys_.end()) {
        schedule_.missed(key_id, clock::now());
    }
    co_return reached;
}

base::task<bool> fetched_keys::fetch() {
    if (fetching_) {
        base::event landed(executor_);
        waiting_.push_back(&landed);
        co_await landed.wait();
        co_return last_result_;
    }
    fetching_ = true;
    const bool done = co_await fetch_now();
    fetching_ = false;
    last_result_ = done;
    const std::vector<base::event*> waiting = std::exchange(waiting_, {});
    for (base::event* one : waiting) {
        one->ring();
    }
    co_return done;
}

base::task<bool> fetched_keys::fetch_now() {
    net::json_request request;
    request.method = boost::beast::http::verb::get;
    request.path = path_;
    request.headers = "Accept: application/json\r\n";
    request.deadline = std::chrono::seconds(3);
    request.most_bytes = max_jwks_size;
    const base::result<net::json_reply> reply = co_await client_.call(request);
    auto fetched = reply && reply->status == 200 ? parse_jwks(reply->body) : std::nullopt;
    if (!fetched) {
        schedule_.failed(clock::now());
        log_.warn("the keys that sign sessions could not be fetched",
                  {{"status", reply ? reply->status : 0U},
                   {"cause", reply ? std::string_view("not a key set") : base::text_of(reply.error())}});
        co_return false;
    }
    keys_.erase(keys_.begin() + static_cast<std::ptrdiff_t>(configured_), keys_.end());
    std::ranges::move(*fetched, std::back_inserter(keys_));
    schedule_.succeeded(jwks_lifetime(reply->cache_control.view()), clock::now());
    co_return true;
}

}  // namespace concurred::auth
