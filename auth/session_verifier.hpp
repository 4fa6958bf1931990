#pragma once

#include "auth/jws.hpp"
#include "auth/session.hpp"
#include "gateway/base/executor.hpp"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace concurred::auth {

/// The keys that sign sessions, as one shard knows them.
class session_keys {
public:
    session_keys() = default;
    session_keys(const session_keys&) = delete;
    session_keys& operator=(const session_keys&) = delete;
    virtual ~session_keys() = default;

    /// What is known without a wait. Valid until the caller next waits.
    [[nodiscard]] virtual std::span<const named_key> known() noexcept = 0;

    /// Completes when it is worth asking `known` again for a token with this key id, or at once when nothing new can be
    /// had now. @return false: the keys could not be fetched, which says nothing about the token.
    [[nodiscard]] virtual base::task<bool> learn(std::string key_id) = 0;

    /// Ends what is under way; for the end of the process.
    virtual void stop() noexcept {}
};

/// Keys that are known from the start.
[[nodiscard]] std::unique_ptr<session_keys> make_fixed_keys(std::vector<named_key> keys);

/// Verifies the dashboard's session cookie for one shard.
class session_verifier {
public:
    struct params {
        std::string cookie_name;
        claim_rules rules;
    };
    session_verifier(params how, std::unique_ptr<session_keys> keys) : how_(std::move(how)), keys_(std::move(keys)) {}

    [[nodiscard]] const std::string& cookie_name() const noexcept { return how_.cookie_name; }

    /// Checks each token of the cookie and gives the first that is good; else the fault that says most.
    /// @param cookies values of all `Cookie` lines
    [[nodiscard]] session_check check(std::span<const std::string_view> cookies, base::wall_time now);

    /// After a check that met an unknown key: learns new keys and checks again. @param cookies stay valid meanwhile
    /// Errors: service_unavailable when the keys cannot be had.
    [[nodiscard]] base::task<base::result<session_check>> check_again(std::span<const std::string_view> cookies);

    void stop() noexcept { keys_->stop(); }

private:
    [[nodiscard]] session_check check_token(std::string_view token, base::wall_time now);

    params how_;
    std::unique_ptr<session_keys> keys_;
    std::string unknown_key_id_;  // of the last check
};

}  // namespace concurred::auth
