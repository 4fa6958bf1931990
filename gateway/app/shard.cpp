#include "gateway/app/shard.hpp"

#include "gateway/app/session_setup.hpp"

#include <boost/asio/post.hpp>

#include <chrono>
#include <exception>

namespace concurred::app {

namespace {

using base::result;
using clock = std::chrono::steady_clock;

// How often log lines are handed over and housekeeping is done.
constexpr std::chrono::milliseconds housekeeping{100};
// How old the health of providers may be that ?verbose=1 tells.
constexpr std::chrono::milliseconds health_view_interval{500};

std::function<void(std::exception_ptr)> report_to(base::logger& log) {
    return [&log](std::exception_ptr failure) {
        try {
            std::rethrow_exception(failure);
        } catch (const std::exception& e) {
            log.error("a background task ended in an exception", {{"what", std::string_view(e.what())}});
        }
    };
}

}  // namespace

shard::shard(shared_state& shared, unsigned number, unsigned of)
    : last_turn_(clock::now()),
      shared_(shared),
      number_(number),
      work_(boost::asio::make_work_guard(io_)),
      log_(shared.log_writer, shared.log_options),
      access_(shared.log_writer, shared.access_format, shared.settings->log.access),
      wheel_(clock::now()),
      driver_(io_.get_executor(), wheel_),
      log_flush_(
          wheel_, [](void* self) { static_cast<shard*>(self)->every_tick(); }, this),
      background_(io_.get_executor(), report_to(log_)),
      resolver_(io_.get_executor()),
      replicas_(io_.get_executor(), shared, number, log_),
      owner_keys_(shared.master_keys),
      probe_(*shared.settings, {.executor = io_.get_executor(),
                                .wheel = wheel_,
                                .resolver = resolver_,
                                .tls = shared.client_tls,
                                .routing = shared.settings->routing}),
      keys_({.shard = io_.get_executor(),
             .wheel = wheel_,
             .resolver = resolver_,
             .redis = replicas_.redis(),
             .bus = replicas_.bus(),
             .shared = shared,
             .log = log_,
             .background = background_,
             .shards = of}),
      authenticator_(io_.get_executor(), shared.cache_params, shared.key_states, keys_.source(), shared.failed_logins,
                     background_, &shared.key_overrides) {}

shard::~shard() = default;

result<std::unique_ptr<shard>> shard::make(shared_state& shared, unsigned number, unsigned of) {
    std::unique_ptr<shard> made(new shard(shared, number, of));
    if (auto ok = made->build(of); !ok) {
        return ok.error();
    }
    return made;
}

result<void> shard::build(unsigned of) {
    const base::config& settings = *shared_.settings;
    auto providers = upstream::provider_table::make(settings, {.executor = io_.get_executor(),
                                                               .wheel = wheel_,
                                                               .resolver = resolver_,
                                                               .tls = shared_.client_tls,
                                                               .routing = settings.routing});
    if (!providers) {
        return providers.error();
    }
    providers_ = std::move(*providers);
    routing_.emplace(upstream::routing_state::surroundings{.executor = io_.get_executor(),
                                                           .settings = settings.routing,
                                                           .models = shared_.models,
                                                           .providers = *providers_,
                                                           .own_keys = owner_keys_,
                                                           .buffers = buffers_,
                                                           .wheel = wheel_,
                                                           .metrics = metrics_,
                                                           .log = log_,
                                                           .seed = number_ + std::uint64_t{1}});
    auto sessions = make_session_verifier(settings, {.executor = io_.get_executor(),
                                                     .wheel = wheel_,
                                                     .resolver = resolver_,
                                                     .background = background_,
                                                     .log = log_,
                                                     .tls = shared_.session_tls.get(),
                                                     .own_secret = shared_.session_secret});
    if (!sessions) {
        return sessions.error();
    }
    sessions_.emplace(std::move(*sessions));
    chain_.emplace(pipeline::chain::surroundings{
        .shard = io_.get_executor(),
        .settings = settings,
        .log = log_,
        .access = access_,
        .metrics = metrics_,
        .buffers = buffers_,
        .wheel = wheel_,
        .authenticator = authenticator_,
        .keys = keys_.admin(),
        .sessions = *sessions_,
        .key_states = shared_.key_states,
        .failed_logins = shared_.failed_logins,
        .origins = shared_.origins,
        .login_links = *shared_.login_links,
        .session_secret = settings.supabase.url.empty() ? shared_.session_secret.reveal() : std::string_view(),
        .provider_keys = *shared_.provider_keys,
        .master_keys = shared_.master_keys,
        .owner_keys = owner_keys_,
        .probe = probe_,
        .provider_key_changed = [this] { shared_.provider_key_changed(); },
        .limiter = shared_.limiter,
        .shared_limiter = replicas_.limiter(),
        .shared_spend = replicas_.spend(),
        .health_limiter = shared_.health_checks,
        .usage_sink = *shared_.usage_queues[number_],
        .database = shared_.database_thread,
        .usage_store = *shared_.usage,
        .models = shared_.models,
        .models_list = shared_.models_list,
        .routing = *routing_,
        .health_board = shared_.health_board,
    });
    session_context_.emplace(server::session_context{.executor = io_.get_executor(),
                                                     .wheel = wheel_,
                                                     .buffers = buffers_,
                                                     .exchanges = exchanges_,
                                                     .date = date_,
                                                     .application = chain_->application(),
                                                     .limits = settings.limits});
    listener_.emplace(*session_context_, server::listener::params{
                                             .tls = shared_.server_tls.get(),
                                             .max_sessions = (settings.server.max_connections + of - 1) / of,
                                             .on_trouble = [this](std::string_view what, boost::system::error_code ec) {
                                                 log_.warn("connections are not accepted as they should be",
                                                           {{"what", what}, {"cause", std::string_view(ec.message())}});
                                             }});
    return {};
}

result<base::endpoint_config> shard::listen(const base::endpoint_config& address) {
    return listener_->open(address);
}

void shard::run() {
    driver_.start();
    replicas_.start();
    every_tick();
    listener_->start();
    io_.run();
}

void shard::post(std::function<void()> work) {
    boost::asio::post(io_, std::move(work));
}

base::steady_time shard::last_turn() const noexcept {
    return last_turn_.load(std::memory_order_relaxed);
}

void shard::every_tick() {
    const auto now = clock::now();
    last_turn_.store(now, std::memory_order_relaxed);
    replicas_.report_state();
    access_.flush();
    log_.flush();
    if (now >= next_health_view_) {
        next_health_view_ = now + health_view_interval;
        shared_.health_board.publish(number_, routing_->view(now));
    }
    log_flush_.expires_at(now + housekeeping);
}

void shard::stop_accepting() {
    listener_->close();
    listener_->close_idle();
}

void shard::finish(std::function<void()> done) {
    background_.spawn(wind_up(std::move(done)));
}

base::task<> shard::wind_up(std::function<void()> done) {
    co_await listener_->join();
    for (auto& [name, provider] : *providers_) {
        provider->pool().close_idle();
    }
    keys_.stop();
    co_await replicas_.close();
    probe_.stop();
    sessions_->stop();
    driver_.stop();
    access_.flush();
    log_.flush();
    work_.reset();
    done();
}

base::metrics shard::snapshot() {
    metrics_.connections = static_cast<std::int64_t>(listener_->sessions());
    keys_.report(metrics_);
    metrics_.usage_queue_depth = static_cast<std::int64_t>(shared_.usage_queues[number_]->waiting());
    metrics_.usage_dropped = chain_->ledger().lost();
    for (auto& [name, provider] : *providers_) {
        if (provider->available()) {  // also when it has no connection any more: a gauge keeps its last value
            const auto counts = provider->pool().counts();
            metrics_.upstream_connections(name, "idle", static_cast<std::int64_t>(counts.idle));
            metrics_.upstream_connections(name, "busy", static_cast<std::int64_t>(counts.open - counts.idle));
        }
    }
    routing_->show(metrics_, clock::now());
    metrics_.redis = replicas_.counts();
    return metrics_.snapshot();
}

}  // namespace concurred::app
