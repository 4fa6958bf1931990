#pragma once

#include "gateway/http/body_source.hpp"
#include "upstream/metered_answer.hpp"
#include "upstream/owner_keys.hpp"
#include "upstream/provider_call.hpp"
#include "upstream/translated_answer.hpp"

#include <memory>
#include <optional>
#include <string>
#include <variant>

namespace concurred::upstream {

inline constexpr std::string_view event_stream_type = "text/event-stream; charset=utf-8";
/// What a client is sent so that nobody on the way takes a silent stream for a dead one.
inline constexpr std::string_view keep_alive_comment = ": keep-alive\n\n";

/// How a call that failed with `e` is recorded.
[[nodiscard]] base::end_reason end_reason_of(const base::error& e) noexcept;

/// What is known of a call when it is over. Views are valid during `relay_ended`.
struct relay_report {
    base::end_reason end = base::end_reason::aborted;
    std::optional<base::token_counts> usage;    ///< the provider's own figures
    std::uint64_t long_cache_writes = 0;        ///< of the tokens written to a cache, those kept for an hour
    std::optional<base::token_counts> input;    ///< without them: what the provider said of the input alone
    std::optional<std::int64_t> cost_nano_usd;  ///< what the provider says that it cost
    std::uint64_t output_octets = 0;            ///< of content that was relayed, for an estimate without figures; of
                                                ///< a whole answer all its octets
    std::string_view upstream_request_id;
};

/// Told once how an answer that `relay::start` has begun ended: before its last octet goes to the client, or when it is
/// dropped.
class relay_observer {
public:
    virtual ~relay_observer() = default;
    virtual void relay_ended(http::exchange& x, const relay_report& report) noexcept = 0;
    /// A provider is about to be asked for `x`, or another one than before. `x.usage` and `x.price` say who it is.
    /// @param body of the client's request; `longest_answer` of the model in tokens, 0: not known
    /// Errors: what the client is told instead; nobody is asked then.
    [[nodiscard]] virtual base::result<void> about_to_ask(http::exchange& x, std::string_view body,
                                                          std::uint32_t longest_answer) {
        static_cast<void>(x);
        static_cast<void>(body);
        static_cast<void>(longest_answer);
        return {};
    }
    /// Whether `reserve` is to be awaited before `about_to_ask`.
    [[nodiscard]] virtual bool reserves_first(const http::exchange&) const noexcept { return false; }
    /// Agrees with other gateways on what `x` may use; parameters and errors as of `about_to_ask`, but that all outlive
    /// the call.
    [[nodiscard]] virtual base::task<base::result<void>> reserve(http::exchange& x, std::string_view body,
                                                                 std::uint32_t longest_answer) {
        static_cast<void>(x);
        static_cast<void>(body);
        static_cast<void>(longest_answer);
        co_return base::result<void>();
    }
    /// A second request that was made for `x` besides the one that answered was given up.
    virtual void hedge_lost(http::exchange& x) noexcept { static_cast<void>(x); }
};

/// Hands a provider's answer on to the client as it comes: whole answers and streams, in OpenAI's dialect as they are
/// and in others translated. A whole answer to a client who awaits a stream is said as one. Of a stream nothing goes
/// out before its first content; from then on nothing is held back but the part of an event whose end has not come yet,
/// which no client could use; one call yields all that one read brought. As a body it is what the session pulls.
class relay final : public http::body_source {
public:
    enum class started {
        answer,   ///< the head is known, and for a stream the first content
        silence,  ///< a stream, and nothing has come yet: begin the answer, so that nobody on the way gives up
    };

    struct params {
        bool stream = false;       ///< the client asked for a stream
        bool strip_usage = false;  ///< the client did not ask for the usage event
        bool in_band = false;      ///< the client's answer has begun already, as a stream
        std::string_view key{};    ///< what the request is sent with: never repeated to the client; outlives the relay
        std::shared_ptr<const owner_credential> own{};  ///< the owner's key, if `key` is of it; null: the platform's
    };

    /// @param translator null: the answer is in the client's own dialect
    /// @param observer   outlives the relay
    relay(net::lease lease, std::string_view provider, const time_budgets& budgets, base::buffer_pool& buffers,
          base::timing_wheel& wheel, http::exchange& x, const params& p, std::unique_ptr<answer_translator> translator,
          relay_observer& observer);
    ~relay() override;

    /// An answer that is no stream is held until it is whole, so that one that breaks off is no answer; a longer one
    /// begins when this much of it is there.
    static constexpr std::size_t hold_limit = std::size_t{256} * 1024;

    /// Sends the request and waits for the answer to begin. After an error the relay is of no more use; the observer is
    /// told of the end only of an answer that has begun.
    [[nodiscard]] base::task<base::result<started>> start(std::span<const std::string_view> request);
    /// After `started::silence`: waits on.
    [[nodiscard]] base::task<base::result<started>> resume();
    /// The client got a comment from elsewhere: the time of silence starts anew, and only a stream can follow.
    void said_something() noexcept {
        in_band_ = true;
        call_.output_sent();
    }
    /// See `provider_call`.
    void next_silence(std::chrono::milliseconds after, base::steady_time since) noexcept {
        call_.next_silence(after, since);
    }
    /// Nobody wants the answer any more: what waits for it gets an error within a turn.
    void give_up() noexcept { call_.give_up(); }

    /// After `start`: what kind of answer it is.
    [[nodiscard]] unsigned status() const noexcept { return call_.head().status(); }
    [[nodiscard]] std::string_view content_type() const noexcept;

    [[nodiscard]] std::optional<std::uint64_t> length() const noexcept override;
    [[nodiscard]] std::optional<http::chunk> try_next() override;
    [[nodiscard]] base::task<base::result<http::chunk>> next() override;

private:
    enum class mode {
        undecided,
        events,
        plain,
        collected,  // no stream, for a client who awaits one
        unusable,
        failure,
    };

    [[nodiscard]] answer_reader& reader_for(std::unique_ptr<answer_translator> translator);
    [[nodiscard]] base::task<base::result<started>> wait_for_answer();
    [[nodiscard]] base::result<void> digest();
    [[nodiscard]] base::result<void> digest_events();
    [[nodiscard]] base::result<void> digest_whole();
    [[nodiscard]] base::result<void> digest_collected();
    [[nodiscard]] base::result<void> check_whole(std::string_view answer) const;
    [[nodiscard]] base::error provider_failed() const;
    [[nodiscard]] base::error failed_with(std::string_view body) const;
    [[nodiscard]] base::error cut_short() const;
    [[nodiscard]] base::error unusable() const;
    [[nodiscard]] bool looks_cut(std::string_view answer) const noexcept;
    void decide();
    void take(const answer_reader::taken& t);
    void append_error(const base::error& e);
    [[nodiscard]] bool begun() const noexcept;
    [[nodiscard]] http::chunk take_output() noexcept;
    [[nodiscard]] http::chunk finish();
    [[nodiscard]] base::result<http::chunk> fail(base::error e);
    void report(base::end_reason end) noexcept;

    provider_call call_;
    std::string_view provider_;
    http::exchange& exchange_;
    relay_observer& observer_;
    params params_;
    mode mode_ = mode::undecided;
    std::variant<metered_answer, translated_answer> kind_;
    answer_reader& reader_;
    std::string front_;        // what came of a stream before its first content
    std::string tail_;         // an event of our own at the end of a stream
    std::string_view output_;  // may go out
    bool sent_ = false;        // something of the answer was handed out
    bool ended_ = false;       // the provider's answer is read to its end
    bool in_band_ = false;     // an answer as a stream has begun: errors go into it
    bool reported_ = true;     // the answer has not begun: whoever started it accounts for it
};

}  // namespace concurred::upstream
