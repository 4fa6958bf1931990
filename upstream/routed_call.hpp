#pragma once

#include "gateway/http/response.hpp"
#include "upstream/attempt.hpp"
#include "upstream/hedge.hpp"
#include "upstream/retry_policy.hpp"

#include <memory>
#include <optional>
#include <string>

namespace concurred::upstream {

/// A request that is answered by the first of its targets that works: each is tried with its repeats, until real
/// content is there. Until then the client has seen nothing, or nothing but comments: after a silence its answer
/// begins, as a stream of comments, and failing over stays possible. As a body it hands the answer on. Belongs to one
/// request. What an endpoint's request looks like is told by `prepare`.
class routed_call : public http::body_source {
public:
    struct params {
        bool stream = false;
        unsigned retries = 0;                  ///< repeats that each target may have
        std::chrono::milliseconds timeout{0};  ///< until the answer has begun, over all attempts; 0: no bound
        std::chrono::milliseconds silence{0};  ///< a stream without output for this long gets a comment; 0: never
    };

    /// @param state, x, observer  outlive the call; the observer is told once how an answer that has begun ended
    routed_call(routing_state& state, http::exchange& x, relay_observer& observer, const params& p);
    ~routed_call() override;

    /// Completes with the answer, as soon as that has begun: with its first content, or after the silence.
    /// Errors: when no target had an answer, why the first of them failed. The observer was told nothing then.
    [[nodiscard]] static base::task<base::result<http::response>> begin(std::unique_ptr<routed_call> self);

    [[nodiscard]] std::optional<std::uint64_t> length() const noexcept override;
    [[nodiscard]] std::optional<http::chunk> try_next() override;
    [[nodiscard]] base::task<base::result<http::chunk>> next() override;

protected:
    /// Makes the list of targets, before `begin`. Parameters and errors: `target_list::make`.
    [[nodiscard]] base::result<void> find_targets(std::string_view requested, const routing_request* wishes);

    /// Puts the request into the words of a target, before the first attempt at it.
    /// Errors: bad_request that names the field which the provider cannot do.
    [[nodiscard]] virtual base::result<void> prepare(prepared_request& request, const routed_target& target) = 0;

    /// The request as the client sent it; valid until the exchange's body is released.
    [[nodiscard]] virtual std::string_view client_body() const noexcept = 0;

    [[nodiscard]] http::exchange& exchange() const noexcept { return exchange_; }

private:
    [[nodiscard]] base::task<base::result<relay::started>> advance();
    [[nodiscard]] base::task<base::result<http::chunk>> next_before_content();
    [[nodiscard]] base::task<base::result<relay::started>> ask_again(attempt_limits limits);
    [[nodiscard]] std::optional<std::chrono::milliseconds> hedge_after() const noexcept;
    [[nodiscard]] attempt& current() noexcept { return hedge_won_ ? hedge_->second() : *attempt_; }
    [[nodiscard]] const attempt& current() const noexcept { return hedge_won_ ? hedge_->second() : *attempt_; }
    [[nodiscard]] base::result<void> choose();
    [[nodiscard]] base::result<void> tell();
    [[nodiscard]] retry_decision judge(const base::error& e, attempt_phase phase);
    void leave_target(std::string_view reason);
    void note_failure(const base::error& e, attempt_phase phase, const retry_decision& next);
    [[nodiscard]] bool failed(base::error e);
    void succeeded();
    [[nodiscard]] http::response answer(relay::started how);
    [[nodiscard]] base::error final_error();
    [[nodiscard]] base::error out_of_time() const;
    [[nodiscard]] base::error all_closed_off();
    void name_dropped();
    [[nodiscard]] base::steady_time comment_due() const noexcept;
    [[nodiscard]] http::chunk comment() noexcept;
    [[nodiscard]] base::result<http::chunk> fail(base::error e);
    void show_target(const route_target& t, bool byok) noexcept;

    routing_state& state_;
    http::exchange& exchange_;
    relay_observer& observer_;
    params params_;
    target_list targets_;
    prepared_request request_;
    routed_target* target_ = nullptr;  // that is tried at the moment; null: another is to be chosen
    routed_target* first_ = nullptr;   // that should have answered
    std::optional<attempt> attempt_;
    std::unique_ptr<hedge> hedge_;
    std::optional<base::error> first_error_;  // why the first that was tried failed, of all its attempts the last
    routed_target* error_of_ = nullptr;       // that target
    std::string tried_;                       // JSON of the attempts that failed
    std::string tail_;                        // an event of our own at the end of a stream
    std::string_view fallback_reason_;
    unsigned repeats_ = 0;   // of the target that is tried
    unsigned attempts_ = 0;  // that failed
    base::steady_time deadline_ = base::steady_time::max();
    base::steady_time pause_until_{};  // not the epoch: the next attempt waits for this
    base::steady_time quiet_since_;
    bool waiting_ = false;      // the attempt is under way and has been silent
    bool told_ = false;         // the observer knows of the target
    bool may_hedge_ = false;    // the silence that the attempt tells of is the time to ask a second time
    bool hedge_won_ = false;    // the second request answered
    bool begun_ = false;        // content has come: all is the relay's from here on
    bool in_band_ = false;      // the client's answer has begun as a stream
    bool comment_due_ = false;  // it is to get one at once
    bool reported_ = true;      // nothing is to be told to the observer
};

}  // namespace concurred::upstream
