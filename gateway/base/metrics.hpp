#pragma once

#include "gateway/base/histogram.hpp"
#include "gateway/base/label_set.hpp"
#include "gateway/base/labelled_values.hpp"
#include "gateway/base/redis_metrics.hpp"
#include "gateway/base/usage_record.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace concurred::base {

/// What is counted of a request that has ended. Texts need to live only until `metrics::request_ended` returns.
struct request_sample {
    std::string_view route;     ///< the template; "other" for a path that is no route
    std::string_view provider;  ///< empty: none was chosen
    std::string_view model;     ///< id of the catalogue; "other" for any other model; empty: none was asked for
    unsigned status = 0;        ///< what the client got; 0: nothing
    end_reason end = end_reason::completed;
    bool stream = false;
    bool unpriced = false;  ///< the model has no price, so that `cost_nano_usd` says nothing
    std::chrono::nanoseconds duration{0};
    std::optional<std::chrono::nanoseconds> first_token;        ///< from arrival to the first content
    std::optional<std::chrono::nanoseconds> request_overhead;   ///< ours before the upstream call
    std::optional<std::chrono::nanoseconds> response_overhead;  ///< ours after it
    token_counts tokens;
    std::int64_t cost_nano_usd = 0;
};

/// The counters of one shard: plain numbers that only its thread touches. A scrape posts to each shard, takes a copy
/// there, and merges the copies elsewhere. Recording allocates only for a label value that is new.
/// Series are bounded whatever the callers pass on, see `label_set`; the families are in `metrics_text.hpp`.
class metrics {
public:
    metrics();

    void request_ended(const request_sample& sample);
    /// \param reason  e.g. "missing", "unknown_key", "expired"; a literal
    void auth_failure(std::string_view reason) { auth_failures_.add({reason}); }
    /// \param scope  which limit said no, e.g. "key", "path", "owner", "global"; a literal
    void rate_limited(std::string_view scope) { rate_limited_.add({scope}); }
    /// \param stage  what the gateway was doing when the client went away, e.g. "queue", "connect", "stream"; a literal
    void client_aborted(std::string_view stage) { client_aborts_.add({stage}); }
    /// \param outcome  e.g. "ok", "connect_failed", "timeout", "status_5xx"; a literal
    void upstream_attempt(std::string_view provider, std::string_view outcome) {
        upstream_attempts_.add({provider, outcome});
    }
    /// \param reason  why the attempt before failed, e.g. "overloaded", "rate_limited"; a literal
    void retried(std::string_view provider, std::string_view reason) { retries_.add({provider, reason}); }
    /// A request left a model of `provider` for another.
    void fallback(std::string_view provider, std::string_view reason) { fallbacks_.add({provider, reason}); }
    /// One of the platform's keys was refused and rests.
    void key_rested(std::string_view provider, std::string_view reason) { key_rests_.add({provider, reason}); }
    /// \param outcome  "won", "lost" or "failed"; a literal
    void hedged(std::string_view provider, std::string_view outcome) { hedges_.add({provider, outcome}); }
    /// Sets how many shards see a breaker in a state.
    /// \param model  empty: the breaker of the whole provider
    /// \param state  "closed", "half_open" or "open"; a literal
    void breakers(std::string_view provider, std::string_view model, std::string_view state, std::int64_t shards) {
        breakers_.set({provider, model.empty() ? std::string_view("*") : model, state}, shards);
    }
    /// Sets how many of the provider's keys are in a state, summed over shards.
    /// \param state  "awake" or "resting"; a literal
    void upstream_keys(std::string_view provider, std::string_view state, std::int64_t count) {
        upstream_keys_.set({provider, state}, count);
    }
    /// Sets how often API keys were looked up outside of this process.
    /// \param where  "unkey" or "redis"; \param outcome  e.g. "answered", "failed"; literals
    void key_lookups(std::string_view where, std::string_view outcome, std::uint64_t count) {
        key_lookups_.set({where, outcome}, static_cast<std::int64_t>(count));
    }
    /// Sets how many connections to `provider` there are.
    /// \param state  "idle" or "busy"; a literal
    void upstream_connections(std::string_view provider, std::string_view state, std::int64_t count) {
        upstream_connections_.set({provider, state}, count);
    }

    /// \param age  since the key of a request was verified at its source
    void key_age(std::chrono::nanoseconds age) { key_ages_.observe(age); }

    /// A copy to take away from the shard.
    [[nodiscard]] metrics snapshot() const { return *this; }
    /// Adds the numbers of another shard.
    void merge(const metrics& other);

    std::int64_t active_requests = 0;    ///< admitted, their answer not ended
    std::int64_t active_streams = 0;     ///< of those, streams
    std::int64_t connections = 0;        ///< open connections of clients
    std::int64_t usage_queue_depth = 0;  ///< usage records not yet stored
    std::uint64_t usage_dropped = 0;     ///< usage records lost
    std::uint64_t usage_flush_failures = 0;
    std::uint64_t usage_quarantined = 0;  ///< usage records that the store refuses for good
    std::int64_t spool_bytes = 0;         ///< of the usage spool's files
    std::int64_t spool_limit_bytes = 0;
    redis_metrics redis;

private:
    friend class metrics_page;

    using duration_histogram = histogram<bucket_bounds::request_duration>;
    using first_token_histogram = histogram<bucket_bounds::first_token>;
    using overhead_histogram = histogram<bucket_bounds::overhead>;
    using key_age_histogram = histogram<bucket_bounds::key_age>;

    /// What is counted by provider and model. There is no histogram of the time between two tokens: it would cost work
    /// for every token, and (duration - time to first token) / output tokens gives the mean.
    struct model_series {
        std::array<std::uint64_t, 5> tokens{};  ///< in the order of `token_counts`
        std::int64_t cost_nano_usd = 0;
        first_token_histogram first_token;
    };

    /// The number of a series of `requests_total`, and what it stands for.
    struct request_labels {
        std::uint16_t route = 0;
        std::uint16_t provider = 0;
        std::uint16_t model = 0;
        std::uint8_t status_class = 0;  ///< 1 … 5; 0: no answer was sent
        std::uint8_t end = 0;           ///< 1 + end_reason; 0: any
    };
    [[nodiscard]] static std::uint64_t pack(const request_labels& labels) noexcept;
    [[nodiscard]] static request_labels unpack(std::uint64_t key) noexcept;

    void count_request(const request_labels& labels, std::uint64_t amount);
    [[nodiscard]] model_series& series_of(std::uint16_t provider, std::uint16_t model);
    [[nodiscard]] std::array<duration_histogram, 2>& durations_of(std::uint16_t route);

    label_set routes_;
    label_set providers_;
    label_set models_;

    series_index request_series_;
    std::vector<std::uint64_t> requests_;                       ///< by index of request_series_
    std::vector<std::array<duration_histogram, 2>> durations_;  ///< by number of the route; [stream]
    series_index model_series_;                                 ///< key: model << 16 | provider
    std::vector<model_series> models_served_;                   ///< by index of model_series_
    std::array<overhead_histogram, 2> overheads_;               ///< request, response

    key_age_histogram key_ages_;

    labelled_values<1> unpriced_;
    labelled_values<1> auth_failures_;
    labelled_values<1> rate_limited_;
    labelled_values<1> client_aborts_;
    labelled_values<2> upstream_attempts_;
    labelled_values<2> upstream_connections_;
    labelled_values<2> retries_;
    labelled_values<2> fallbacks_;
    labelled_values<2> key_rests_;
    labelled_values<2> hedges_;
    labelled_values<3> breakers_;
    labelled_values<2> upstream_keys_;
    labelled_values<2> key_lookups_;
};

}  // namespace concurred::base
