#include "auth/session_verifier.hpp"

#include "auth/session_cookie.hpp"

#include <chrono>
#include <utility>

namespace concurred::auth {

namespace {

class fixed_keys final : public session_keys {
public:
    explicit fixed_keys(std::vector<named_key> keys) : keys_(std::move(keys)) {}
    std::span<const named_key> known() noexcept override { return keys_; }
    base::task<bool> learn(std::string) override { co_return true; }

private:
    std::vector<named_key> keys_;
};

// Of several tokens none of which is good: an unknown key may become known, an expired session can be renewed.
int weight(session_fault fault) noexcept {
    switch (fault) {
        case session_fault::unknown_key:
            return 3;
        case session_fault::expired:
            return 2;
        case session_fault::malformed:
            return 0;
        default:
            return 1;
    }
}

}  // namespace

std::unique_ptr<session_keys> make_fixed_keys(std::vector<named_key> keys) {
    return std::make_unique<fixed_keys>(std::move(keys));
}

session_check session_verifier::check_token(std::string_view token, base::wall_time now) {
    const auto parts = parse_jws(token);
    if (!parts) {
        return {};
    }
    switch (check_jws(*parts, keys_->known())) {
        case jws_verdict::good:
            return check_claims(parts->payload, how_.rules, now);
        case jws_verdict::unknown_key:
            unknown_key_id_ = parts->key_id;
            return {session_fault::unknown_key};
        case jws_verdict::bad:
            break;
    }
    return {session_fault::signature};
}

session_check session_verifier::check(std::span<const std::string_view> cookies, base::wall_time now) {
    session_check best;
    for (const std::string& token : session_tokens(cookies, how_.cookie_name)) {
        const session_check one = check_token(token, now);
        if (one.fault == session_fault::none) {
            return one;
        }
        if (weight(one.fault) > weight(best.fault)) {
            best = one;
        }
    }
    return best;
}

base::task<base::result<session_check>> session_verifier::check_again(std::span<const std::string_view> cookies) {
    const bool reached = co_await keys_->learn(unknown_key_id_);
    const session_check answer = check(cookies, std::chrono::system_clock::now());
    if (answer.fault == session_fault::unknown_key && !reached) {
        base::error e = base::gateway_error(base::errc::service_unavailable,
                                            "Sessions cannot be checked at the moment: their keys cannot be fetched.");
        e.retry_after = std::chrono::seconds(5);
        co_return e;
    }
    co_return answer;
}

}  // namespace concurred::auth
