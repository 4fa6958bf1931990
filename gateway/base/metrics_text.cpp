#include "gateway/base/metrics_text.hpp"

#include "gateway/base/end_reason_text.hpp"
#include "gateway/base/log_text.hpp"

#include <initializer_list>
#include <utility>

namespace concurred::base {

namespace {

using label = std::pair<std::string_view, std::string_view>;
using labels = std::initializer_list<label>;

constexpr std::array<std::string_view, 6> status_classes{"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
constexpr std::array<std::string_view, 5> token_types{"prompt", "cache_read", "cache_write", "completion", "reasoning"};

void append_label_value(std::string& out, std::string_view text) {
    for (const char c : text) {
        if (c == '\n') {
            out += "\\n";
            continue;
        }
        if (c == '"' || c == '\\') {
            out += '\\';
        }
        out += c;
    }
}

/// Appends families and samples to a page.
class page_writer {
public:
    explicit page_writer(std::string& out) noexcept : out_(out) {}

    void family(std::string_view name, std::string_view type, std::string_view help) {
        name_ = name;
        ((out_ += "# HELP ") += name) += ' ';
        (out_ += help) += '\n';
        ((out_ += "# TYPE ") += name) += ' ';
        (out_ += type) += '\n';
    }

    template <std::integral Integer>
    void sample(labels with, Integer value) {
        begin({}, with, {});
        append_integer(out_, value);
        out_ += '\n';
    }
    /// A value in units of 10^-9.
    void sample_nanos(labels with, std::int64_t value) {
        begin({}, with, {});
        append_nanos(out_, value);
        out_ += '\n';
    }

    template <const auto& Bounds>
    void sample(labels with, const histogram<Bounds>& values) {
        std::string bound;
        for (std::size_t i = 0; i < Bounds.size(); ++i) {
            bound.clear();
            append_nanos(bound, Bounds[i].count());
            begin("_bucket", with, bound);
            append_integer(out_, values.cumulative(i));
            out_ += '\n';
        }
        begin("_bucket", with, "+Inf");
        append_integer(out_, values.count());
        out_ += '\n';
        begin("_sum", with, {});
        append_nanos(out_, values.sum().count());
        out_ += '\n';
        begin("_count", with, {});
        append_integer(out_, values.count());
        out_ += '\n';
    }

    template <std::integral Integer>
    void single(std::string_view name, std::string_view type, std::string_view help, Integer value) {
        family(name, type, help);
        sample({}, value);
    }

private:
    /// Appends a sample up to its value.
    void begin(std::string_view suffix, labels with, std::string_view bound) {
        (out_ += name_) += suffix;
        char separator = '{';
        const auto add = [&](std::string_view name, std::string_view value) {
            ((out_ += separator) += name) += "=\"";
            append_label_value(out_, value);
            out_ += '"';
            separator = ',';
        };
        for (const auto& [name, value] : with) {
            add(name, value);
        }
        if (!bound.empty()) {
            add("le", bound);
        }
        out_ += separator == '{' ? " " : "} ";
    }

    std::string& out_;
    std::string_view name_;
};

std::int64_t nanos_of(wall_time at) noexcept {
    return unix_millis(at) * 1'000'000;
}

}  // namespace

/// Knows the inside of `metrics`; writes one part of the page in each function.
class metrics_page {
public:
    metrics_page(std::string& out, const metrics& all) noexcept : to_(out), all_(all) {}

    void write_requests() {
        to_.family("concurred_requests_total", "counter", "Requests that have ended.");
        for (std::size_t i = 0; i < all_.requests_.size(); ++i) {
            const auto is = metrics::unpack(all_.request_series_.key(i));
            if (all_.requests_[i] != 0) {
                to_.sample({{"route", all_.routes_.text(is.route)},
                            {"provider", all_.providers_.text(is.provider)},
                            {"model", all_.models_.text(is.model)},
                            {"status_class", status_classes[is.status_class]},
                            {"end_reason", is.end == 0 ? "other" : to_text(static_cast<end_reason>(is.end - 1))}},
                           all_.requests_[i]);
            }
        }
        to_.family("concurred_request_duration_seconds", "histogram", "From the request's arrival to its last byte.");
        for (std::size_t i = 0; i < all_.durations_.size(); ++i) {
            const std::string_view route = all_.routes_.text(static_cast<std::uint16_t>(i));
            write_used({{"route", route}, {"stream", "false"}}, all_.durations_[i][0]);
            write_used({{"route", route}, {"stream", "true"}}, all_.durations_[i][1]);
        }
        to_.family("concurred_overhead_seconds", "histogram", "Time the gateway itself adds to a request.");
        to_.sample({{"phase", "request"}}, all_.overheads_[0]);
        to_.sample({{"phase", "response"}}, all_.overheads_[1]);
        write_gauge("concurred_active_requests", "Requests whose answer has not ended.", all_.active_requests);
        write_gauge("concurred_active_streams", "Streams that have not ended.", all_.active_streams);
        write_gauge("concurred_connections", "Open connections of clients.", all_.connections);
        write_each("concurred_client_aborts_total", "Requests whose client went away first.", "stage",
                   all_.client_aborts_);
        write_each("concurred_rate_limited_total", "Requests refused by a limit.", "scope", all_.rate_limited_);
        write_each("concurred_auth_failures_total", "Requests refused for their credential.", "reason",
                   all_.auth_failures_);
    }

    void write_models() {
        to_.family("concurred_time_to_first_token_seconds", "histogram",
                   "From the request's arrival to first content.");
        for_each_model([&](label provider, label model, const auto& series) {
            write_used({provider, model}, series.first_token);
        });
        to_.family("concurred_tokens_total", "counter", "Tokens by class; the classes do not overlap.");
        for_each_model([&](label provider, label model, const auto& series) {
            for (std::size_t type = 0; type < token_types.size(); ++type) {
                if (series.tokens[type] != 0) {
                    to_.sample({provider, model, {"type", token_types[type]}}, series.tokens[type]);
                }
            }
        });
        to_.family("concurred_cost_usd_total", "counter", "Cost of the requests that have a price.");
        for_each_model([&](label provider, label model, const auto& series) {
            if (series.cost_nano_usd != 0) {
                to_.sample_nanos({provider, model}, series.cost_nano_usd);
            }
        });
        write_each("concurred_unpriced_requests_total", "Requests to models without a price.", "provider",
                   all_.unpriced_);
    }

    void write_upstreams() {
        to_.family("concurred_upstream_attempts_total", "counter", "Calls to providers, retries included.");
        all_.upstream_attempts_.for_each([&](const auto& texts, std::int64_t value) {
            to_.sample({{"provider", texts[0]}, {"outcome", texts[1]}}, value);
        });
        write_pairs("concurred_upstream_retries_total", "counter", "Repeated attempts, by why the one before failed.",
                    "reason", all_.retries_);
        write_pairs("concurred_fallbacks_total", "counter", "Requests that left a provider's model for another.",
                    "reason", all_.fallbacks_);
        write_pairs("concurred_upstream_key_rests_total", "counter", "Platform keys that were refused and rest.",
                    "reason", all_.key_rests_);
        write_pairs("concurred_hedges_total", "counter", "Second requests to a provider that was late.", "outcome",
                    all_.hedges_);
        to_.family("concurred_upstream_breakers", "gauge",
                   "Shards that see a circuit breaker in a state; model \"*\": of the whole provider.");
        all_.breakers_.for_each([&](const auto& texts, std::int64_t value) {
            to_.sample({{"provider", texts[0]}, {"model", texts[1]}, {"state", texts[2]}}, value);
        });
        write_pairs("concurred_upstream_keys", "gauge", "Platform keys by state, summed over shards.", "state",
                    all_.upstream_keys_);
        to_.family("concurred_upstream_connections", "gauge", "Connections to providers.");
        all_.upstream_connections_.for_each([&](const auto& texts, std::int64_t value) {
            to_.sample({{"provider", texts[0]}, {"state", texts[1]}}, value);
        });
        to_.family("concurred_key_lookups_total", "counter", "API keys looked up at the key service and in Redis.");
        all_.key_lookups_.for_each([&](const auto& texts, std::int64_t value) {
            to_.sample({{"where", texts[0]}, {"outcome", texts[1]}}, value);
        });
        write_gauge("concurred_usage_queue_depth", "Usage records not yet stored.", all_.usage_queue_depth);
        to_.single("concurred_usage_dropped_total", "counter", "Usage records lost.", all_.usage_dropped);
        to_.single("concurred_usage_flush_failures_total", "counter", "Failed writes of usage records.",
                   all_.usage_flush_failures);
        to_.single("concurred_usage_quarantined_total", "counter", "Usage records that the store refuses for good.",
                   all_.usage_quarantined);
        write_gauge("concurred_usage_spool_bytes", "Bytes of the usage spool's files.", all_.spool_bytes);
        write_gauge("concurred_usage_spool_limit_bytes", "Most bytes the usage spool may take.",
                    all_.spool_limit_bytes);
    }

    void write_redis() {
        to_.family("concurred_key_age_seconds", "histogram", "Age of the verification that let a request in.");
        to_.sample({}, all_.key_ages_);
        const redis_metrics& r = all_.redis;
        if (!r.used) {
            return;
        }
        write_gauge("concurred_redis_connected", "Shards on which Redis answers.", r.connected);
        to_.single("concurred_redis_connects_total", "counter", "Connections made to Redis.", r.connects);
        to_.family("concurred_redis_commands_total", "counter", "Commands to Redis by what became of them.");
        to_.sample({{"outcome", "answered"}}, r.answered);
        to_.sample({{"outcome", "timed_out"}}, r.timed_out);
        to_.sample({{"outcome", "lost"}}, r.lost);
        to_.sample({{"outcome", "refused"}}, r.refused);
        to_.single("concurred_redis_errors_total", "counter", "Commands that Redis answered with an error.", r.errors);
        write_gauge("concurred_key_changes_subscribed", "1 while changes of keys are heard from other gateways.",
                    r.subscribed);
        to_.single("concurred_key_changes_announced_total", "counter", "Changes of keys told to other gateways.",
                   r.changes_announced);
        to_.single("concurred_key_changes_delayed_total", "counter",
                   "Changes of keys that could not be told at the first try.", r.changes_delayed);
        to_.single("concurred_key_changes_heard_total", "counter", "Changes of keys heard.", r.changes_heard);
        to_.single("concurred_key_cache_flushes_total", "counter",
                   "Times all verifications were forgotten because a change may have been missed.", r.cache_flushes);
        if (!r.limits_shared) {
            return;
        }
        to_.family("concurred_shared_limit_decisions_total", "counter",
                   "Decisions about shared limits by who made them.");
        to_.sample({{"by", "redis"}}, r.limits_asked);
        to_.sample({{"by", "slice"}}, r.limits_held);
        to_.sample({{"by", "remembered_denial"}}, r.limits_remembered);
        to_.sample({{"by", "own_share"}}, r.limits_alone);
        to_.family("concurred_limit_slice_units_total", "counter", "Units of limits taken ahead.");
        to_.sample({{"what", "taken"}}, r.slice_units_taken);
        to_.sample({{"what", "returned"}}, r.slice_units_returned);
        write_gauge("concurred_limit_stranded_percent", "The most of a limit that can lie unused in slices.",
                    r.stranded_percent);
    }

    void write_process(const process_info& process) {
        to_.single("concurred_log_dropped_total", "counter", "Log lines lost because nobody took them.",
                   process.log_lines_dropped);
        to_.single("concurred_draining", "gauge", "1 while the process drains.", process.draining ? 1 : 0);
        if (process.last_reload_successful) {
            to_.single("concurred_config_last_reload_successful", "gauge", "Whether the last reload was taken.",
                       *process.last_reload_successful ? 1 : 0);
            to_.family("concurred_config_last_reload_success_timestamp_seconds", "gauge",
                       "When a configuration was last taken.");
            to_.sample_nanos({}, nanos_of(process.last_reload_success));
        }
        to_.family("concurred_build_info", "gauge", "Always 1.");
        to_.sample({{"version", process.version}, {"commit", process.commit}}, 1);

        const process_usage& usage = process.usage;
        to_.family("process_cpu_seconds_total", "counter", "CPU time of all threads, user and system.");
        to_.sample_nanos({}, usage.cpu_time.count());
        write_gauge("process_resident_memory_bytes", "Resident memory.", usage.resident_bytes);
        write_gauge("process_virtual_memory_bytes", "Virtual memory.", usage.virtual_bytes);
        write_gauge("process_open_fds", "Open file descriptors.", usage.open_fds);
        write_gauge("process_max_fds", "Limit of open file descriptors.", usage.max_fds);
        to_.family("process_start_time_seconds", "gauge", "When the process started, in Unix time.");
        to_.sample_nanos({}, nanos_of(process.started));
    }

private:
    template <const auto& Bounds>
    void write_used(labels with, const histogram<Bounds>& values) {
        if (values.count() != 0) {
            to_.sample(with, values);
        }
    }
    template <std::integral Integer>
    void write_gauge(std::string_view name, std::string_view help, Integer value) {
        to_.single(name, "gauge", help, value);
    }
    void write_each(std::string_view name, std::string_view help, std::string_view label_name,
                    const labelled_values<1>& values) {
        to_.family(name, "counter", help);
        values.for_each([&](const auto& texts, std::int64_t value) { to_.sample({{label_name, texts[0]}}, value); });
    }
    void write_pairs(std::string_view name, std::string_view type, std::string_view help, std::string_view second_label,
                     const labelled_values<2>& values) {
        to_.family(name, type, help);
        values.for_each([&](const auto& texts, std::int64_t value) {
            to_.sample({{"provider", texts[0]}, {second_label, texts[1]}}, value);
        });
    }
    template <class Visitor>
    void for_each_model(Visitor&& visit) {
        for (std::size_t i = 0; i < all_.models_served_.size(); ++i) {
            const std::uint64_t key = all_.model_series_.key(i);
            visit(label("provider", all_.providers_.text(static_cast<std::uint16_t>(key))),
                  label("model", all_.models_.text(static_cast<std::uint16_t>(key >> 16))), all_.models_served_[i]);
        }
    }

    page_writer to_;
    const metrics& all_;
};

std::string render_prometheus(const metrics& all, const process_info& process) {
    std::string page;
    metrics_page write(page, all);
    write.write_requests();
    write.write_models();
    write.write_upstreams();
    write.write_redis();
    write.write_process(process);
    return page;
}

}  // namespace concurred::base
