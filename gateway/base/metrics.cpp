#include "gateway/base/metrics.hpp"

namespace concurred::base {

namespace {

// Far above what the route table and a catalogue hold, so that only a mistake meets them.
constexpr std::size_t max_routes = 128;
constexpr std::size_t max_providers = 64;
constexpr std::size_t max_models = 1024;
constexpr std::size_t max_request_series = 8192;
constexpr std::size_t max_model_series = 1024;
constexpr std::size_t max_small = 64;

/// An empty label would be the same as none at all.
std::string_view or_none(std::string_view text) noexcept {
    return text.empty() ? "none" : text;
}

std::array<std::uint64_t, 5> as_array(const token_counts& tokens) noexcept {
    return {tokens.prompt, tokens.cache_read, tokens.cache_write, tokens.completion, tokens.reasoning};
}

}  // namespace

metrics::metrics()
    : routes_(max_routes),
      providers_(max_providers),
      models_(max_models),
      request_series_(max_request_series),
      requests_(1),
      durations_(1),
      model_series_(max_model_series),
      models_served_(1),
      unpriced_(max_providers, max_providers),
      auth_failures_(max_small, max_small),
      rate_limited_(max_small, max_small),
      client_aborts_(max_small, max_small),
      upstream_attempts_(max_providers, 16 * max_providers),
      upstream_connections_(max_providers, 4 * max_providers),
      retries_(max_providers, 16 * max_providers),
      fallbacks_(max_providers, 16 * max_providers),
      key_rests_(max_providers, 8 * max_providers),
      hedges_(max_providers, 4 * max_providers),
      breakers_(max_models, 3 * max_models),
      upstream_keys_(max_providers, 2 * max_providers),
      key_lookups_(max_small, max_small) {}

std::uint64_t metrics::pack(const request_labels& labels) noexcept {
    return labels.route | std::uint64_t{labels.provider} << 16 | std::uint64_t{labels.model} << 32 |
           std::uint64_t{labels.status_class} << 48 | std::uint64_t{labels.end} << 56;
}

metrics::request_labels metrics::unpack(std::uint64_t key) noexcept {
    return {static_cast<std::uint16_t>(key), static_cast<std::uint16_t>(key >> 16),
            static_cast<std::uint16_t>(key >> 32), static_cast<std::uint8_t>(key >> 48),
            static_cast<std::uint8_t>(key >> 56)};
}

void metrics::count_request(const request_labels& labels, std::uint64_t amount) {
    const std::size_t index = request_series_.intern(pack(labels));
    if (index == requests_.size()) {
        requests_.push_back(0);
    }
    requests_[index] += amount;
}

metrics::model_series& metrics::series_of(std::uint16_t provider, std::uint16_t model) {
    const std::size_t index = model_series_.intern(std::uint64_t{model} << 16 | provider);
    if (index == models_served_.size()) {
        models_served_.emplace_back();
    }
    return models_served_[index];
}

std::array<metrics::duration_histogram, 2>& metrics::durations_of(std::uint16_t route) {
    if (route >= durations_.size()) {
        durations_.resize(route + std::size_t{1});
    }
    return durations_[route];
}

void metrics::request_ended(const request_sample& sample) {
    request_labels labels;
    labels.route = routes_.intern(or_none(sample.route));
    labels.provider = providers_.intern(or_none(sample.provider));
    labels.model = models_.intern(or_none(sample.model));
    labels.status_class = static_cast<std::uint8_t>(sample.status < 600 ? sample.status / 100 : 0);
    labels.end = static_cast<std::uint8_t>(1 + static_cast<unsigned>(sample.end));
    count_request(labels, 1);
    durations_of(labels.route)[sample.stream ? 1 : 0].observe(sample.duration);
    if (sample.request_overhead) {
        overheads_[0].observe(*sample.request_overhead);
    }
    if (sample.response_overhead) {
        overheads_[1].observe(*sample.response_overhead);
    }
    if (sample.provider.empty()) {
        return;
    }
    model_series& served = series_of(labels.provider, labels.model);
    const auto tokens = as_array(sample.tokens);
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        served.tokens[i] += tokens[i];
    }
    if (sample.first_token) {
        served.first_token.observe(*sample.first_token);
    }
    if (sample.unpriced) {
        unpriced_.add({sample.provider});
    } else {
        served.cost_nano_usd += sample.cost_nano_usd;
    }
}

void metrics::merge(const metrics& other) {
    active_requests += other.active_requests;
    active_streams += other.active_streams;
    connections += other.connections;
    usage_queue_depth += other.usage_queue_depth;
    usage_dropped += other.usage_dropped;
    usage_flush_failures += other.usage_flush_failures;
    usage_quarantined += other.usage_quarantined;
    spool_bytes += other.spool_bytes;
    spool_limit_bytes += other.spool_limit_bytes;

    // Each shard numbers the label values in the order it met them.
    const auto route = [&](std::uint16_t number) { return routes_.intern(other.routes_.text(number)); };
    const auto provider = [&](std::uint16_t number) { return providers_.intern(other.providers_.text(number)); };
    const auto model = [&](std::uint16_t number) { return models_.intern(other.models_.text(number)); };
    for (std::size_t i = 0; i < other.requests_.size(); ++i) {
        request_labels labels = unpack(other.request_series_.key(i));
        labels.route = route(labels.route);
        labels.provider = provider(labels.provider);
        labels.model = model(labels.model);
        count_request(labels, other.requests_[i]);
    }
    for (std::size_t i = 0; i < other.durations_.size(); ++i) {
        auto& durations = durations_of(route(static_cast<std::uint16_t>(i)));
        durations[0].merge(other.durations_[i][0]);
        durations[1].merge(other.durations_[i][1]);
    }
    for (std::size_t i = 0; i < other.models_served_.size(); ++i) {
        const std::uint64_t key = other.model_series_.key(i);
        const model_series& theirs = other.models_served_[i];
        model_series& ours =
            series_of(provider(static_cast<std::uint16_t>(key)), model(static_cast<std::uint16_t>(key >> 16)));
        for (std::size_t type = 0; type < ours.tokens.size(); ++type) {
            ours.tokens[type] += theirs.tokens[type];
        }
        ours.cost_nano_usd += theirs.cost_nano_usd;
        ours.first_token.merge(theirs.first_token);
    }
    overheads_[0].merge(other.overheads_[0]);
    overheads_[1].merge(other.overheads_[1]);
    key_ages_.merge(other.key_ages_);
    redis.merge(other.redis);
    unpriced_.merge(other.unpriced_);
    auth_failures_.merge(other.auth_failures_);
    rate_limited_.merge(other.rate_limited_);
    client_aborts_.merge(other.client_aborts_);
    upstream_attempts_.merge(other.upstream_attempts_);
    upstream_connections_.merge(other.upstream_connections_);
    retries_.merge(other.retries_);
    fallbacks_.merge(other.fallbacks_);
    key_rests_.merge(other.key_rests_);
    hedges_.merge(other.hedges_);
    breakers_.merge(other.breakers_);
    upstream_keys_.merge(other.upstream_keys_);
    key_lookups_.merge(other.key_lookups_);
}

}  // namespace concurred::base
