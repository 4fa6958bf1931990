#include "gateway/base/config_keys.hpp"

#include "gateway/base/near_match.hpp"

#include <algorithm>

namespace concurred::base {

namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;

template <class Section>
using member = std::variant<std::string Section::*, bool Section::*, unsigned Section::*, std::size_t Section::*,
                            milliseconds Section::*, endpoint_config Section::*, std::optional<std::string> Section::*,
                            std::optional<std::uint32_t> Section::*, std::optional<double> Section::*>;

/// One line of the table: everything that is known about a key. Reading, printing, range checks, environment names
/// and suggestions come from it.
template <class Section>
struct row {
    std::string_view name;
    member<Section> where;
    value_rule rule{};
};

constexpr value_rule within(std::uint64_t low, std::uint64_t high) {
    return {.low = low, .high = high};
}
constexpr value_rule within(milliseconds low, milliseconds high) {
    return within(static_cast<std::uint64_t>(low.count()), static_cast<std::uint64_t>(high.count()));
}
constexpr value_rule form(text_form f) {
    return {.form = f};
}
constexpr value_rule one_of(std::string_view choices) {
    return {.choices = choices};
}

constexpr std::uint64_t kib = 1024;
constexpr std::uint64_t mib = 1024 * kib;

constexpr row<server_config> server_rows[] = {
    {"listen", &server_config::listen},
    {"admin_listen", &server_config::admin_listen},
    {"shards", &server_config::shards, within(0, 1024)},
    {"tls_certificate", &server_config::tls_certificate, form(text_form::file)},
    {"tls_key", &server_config::tls_key, form(text_form::file)},
    {"max_connections", &server_config::max_connections, within(1, 10'000'000)},
};

constexpr row<storage_config> storage_rows[] = {
    {"path", &storage_config::path, form(text_form::required)},
    {"spool", &storage_config::spool},
    {"spool_limit", &storage_config::spool_limit, within(mib, 1024 * 1024 * mib)},
    {"spool_sync", &storage_config::spool_sync, within(1ms, 1min)},
    {"event_days", &storage_config::event_days, within(7, 3'660)},
    {"flush_interval", &storage_config::flush_interval, within(10ms, 1min)},
    {"flush_batch", &storage_config::flush_batch, within(1, 100'000)},
    {"change_poll", &storage_config::change_poll, within(10ms, 24h)},
};

constexpr row<redis_config> redis_rows[] = {
    {"url", &redis_config::url, form(text_form::api_key)},
    {"sentinel_master", &redis_config::sentinel_master},
    {"sentinel_user", &redis_config::sentinel_user},
    {"sentinel_password", &redis_config::sentinel_password, form(text_form::api_key)},
    {"ca_file", &redis_config::ca_file, form(text_form::file)},
    {"client_name", &redis_config::client_name, form(text_form::required)},
    {"command_timeout", &redis_config::command_timeout, within(1ms, 10s)},
    {"required", &redis_config::required},
};

constexpr row<postgres_config> postgres_rows[] = {
    {"url", &postgres_config::url, form(text_form::api_key)},
};

constexpr row<secrets_config> secrets_rows[] = {
    {"master_key", &secrets_config::master_key, form(text_form::master_key)},
};

constexpr row<limits_config> limits_rows[] = {
    {"header_bytes", &limits_config::header_bytes, within(kib, mib)},
    {"target_bytes", &limits_config::target_bytes, within(256, 64 * kib)},
    {"header_fields", &limits_config::header_fields, within(10, 1'000)},
    {"body_bytes", &limits_config::body_bytes, within(kib, 1024 * mib)},
    {"header_timeout", &limits_config::header_timeout, within(10ms, 10min)},
    {"body_timeout", &limits_config::body_timeout, within(10ms, 1h)},
    {"idle_timeout", &limits_config::idle_timeout, within(10ms, 24h)},
    {"write_timeout", &limits_config::write_timeout, within(10ms, 1h)},
    {"keepalive_comment", &limits_config::keepalive_comment, within(0ms, 10min)},
    {"drain_timeout", &limits_config::drain_timeout, within(0ms, 24h)},
    {"drain_grace", &limits_config::drain_grace, within(0ms, 10min)},
    {"default_rate_limit", &limits_config::default_rate_limit, within(1, 1'000'000)},
    {"max_rate_limit", &limits_config::max_rate_limit, within(1, 1'000'000)},
    {"keys_per_owner", &limits_config::keys_per_owner, within(1, 1'000'000)},
    {"provider_keys_per_owner", &limits_config::provider_keys_per_owner, within(1, 1'000)},
    {"health_per_minute", &limits_config::health_per_minute, within(1, 1'000'000)},
    {"failed_auth_per_minute", &limits_config::failed_auth_per_minute, within(1, 1'000'000)},
    {"mode", &limits_config::mode, one_of("local|strict|leased")},
    {"replicas", &limits_config::replicas, within(1, 10'000)},
};

constexpr value_rule path_limit = within(1, 1'000'000);

constexpr row<unkey_config> unkey_rows[] = {
    {"base_url", &unkey_config::base_url, form(text_form::url)},
    {"verify_key", &unkey_config::verify_key, form(text_form::api_key)},
    {"manage_key", &unkey_config::manage_key, form(text_form::api_key)},
    {"api_id", &unkey_config::api_id},
    {"ca_file", &unkey_config::ca_file, form(text_form::file)},
    {"timeout", &unkey_config::timeout, within(100ms, 10s)},
    {"max_concurrent", &unkey_config::max_concurrent, within(2, 10'000)},
};

constexpr row<supabase_config> supabase_rows[] = {
    {"url", &supabase_config::url, form(text_form::optional_url)},
    {"jwt_secret", &supabase_config::jwt_secret, form(text_form::api_key)},
    {"jwks_url", &supabase_config::jwks_url, form(text_form::optional_url)},
    {"cookie_name", &supabase_config::cookie_name, form(text_form::cookie_name)},
    {"require_mfa", &supabase_config::require_mfa},
};

constexpr row<session_config> session_rows[] = {
    {"public_url", &session_config::public_url, form(text_form::optional_url)},
    {"allowed_origins", &session_config::allowed_origins, form(text_form::origins)},
    {"strict_origin", &session_config::strict_origin},
    {"lifetime", &session_config::lifetime, within(1min, 720h)},
    {"rate_limit", &session_config::rate_limit, within(1, 1'000'000)},
};

constexpr row<log_config> log_rows[] = {
    {"level", &log_config::level, one_of("debug|info|warn|error")},
    {"format", &log_config::format, one_of("auto|json|text")},
    {"access", &log_config::access},
};

constexpr row<provider_config> provider_rows[] = {
    {"base_url", &provider_config::base_url, form(text_form::url)},
    {"api_key", &provider_config::api_key, form(text_form::api_key)},
    {"api_keys", &provider_config::api_keys, form(text_form::api_keys)},
    {"ca_file", &provider_config::ca_file, form(text_form::file)},
    {"connect_timeout", &provider_config::connect_timeout, within(10ms, 5min)},
    {"first_token_timeout", &provider_config::first_token_timeout, within(10ms, 1h)},
    {"idle_timeout", &provider_config::idle_timeout, within(10ms, 1h)},
    {"total_timeout", &provider_config::total_timeout, within(10ms, 24h)},
    {"max_connections", &provider_config::max_connections, within(1, 100'000)},
    {"pool_wait", &provider_config::pool_wait, within(0ms, 5min)},
    {"keepalive", &provider_config::keepalive, within(0ms, 1h)},
};

constexpr value_rule tokens = within(1, 1'000'000'000);
constexpr value_rule usd_per_million = within(0, 1'000'000);

constexpr row<model_config> model_rows[] = {
    {"target", &model_config::target, form(text_form::required)},
    {"provider", &model_config::provider, form(text_form::required)},
    {"upstream_model", &model_config::upstream_model, form(text_form::required)},
    {"context_window", &model_config::context_window, tokens},
    {"max_output_tokens", &model_config::max_output_tokens, tokens},
    {"input_price", &model_config::input_price, usd_per_million},
    {"cached_input_price", &model_config::cached_input_price, usd_per_million},
    {"output_price", &model_config::output_price, usd_per_million},
};

constexpr row<routing_config> routing_rows[] = {
    {"retries", &routing_config::retries, within(0, 5)},
    {"timeout", &routing_config::timeout, within(0ms, 24h)},
    {"backoff", &routing_config::backoff, within(1ms, 10s)},
    {"retry_budget", &routing_config::retry_budget, within(0, 100)},
    {"breaker_failures", &routing_config::breaker_failures, within(0, 1'000)},
    {"breaker_cooldown", &routing_config::breaker_cooldown, within(10ms, 10min)},
    {"hedge", &routing_config::hedge},
    {"hedge_budget", &routing_config::hedge_budget, within(0, 100)},
};

/// Calls `visit(name, section, rows)` for each section that is not a map.
template <class Visit>
void each_section(config& values, Visit visit) {
    visit("server"sv, values.server, std::span(server_rows));
    visit("storage"sv, values.storage, std::span(storage_rows));
    visit("redis"sv, values.redis, std::span(redis_rows));
    visit("postgres"sv, values.postgres, std::span(postgres_rows));
    visit("secrets"sv, values.secrets, std::span(secrets_rows));
    visit("limits"sv, values.limits, std::span(limits_rows));
    visit("unkey"sv, values.unkey, std::span(unkey_rows));
    visit("supabase"sv, values.supabase, std::span(supabase_rows));
    visit("session"sv, values.session, std::span(session_rows));
    visit("log"sv, values.log, std::span(log_rows));
    visit("routing"sv, values.routing, std::span(routing_rows));
}

/// The names of all sections, those that are maps at the end.
const std::vector<std::string_view>& section_names() {
    static const std::vector<std::string_view> names = [] {
        std::vector<std::string_view> all;
        config values;
        each_section(values, [&all](std::string_view name, auto&, auto) { all.push_back(name); });
        all.insert(all.end(), {"providers"sv, "models"sv});
        return all;
    }();
    return names;
}

template <class Section>
config_key bind(const row<Section>& r, key_path path, Section& section) {
    return {std::move(path), r.rule, std::visit([&](auto m) -> config_slot { return &(section.*m); }, r.where)};
}

template <class Section, std::size_t N>
void append_all(std::vector<config_key>& keys, const key_path& table, std::span<const row<Section>, N> rows,
                Section& section) {
    for (const row<Section>& r : rows) {
        key_path path = table;
        path.emplace_back(r.name);
        keys.push_back(bind(r, std::move(path), section));
    }
}

key_lookup known_table() {
    return {key_lookup::kind::table, std::nullopt, {}};
}

key_lookup known(config_key key) {
    return {key_lookup::kind::scalar, std::move(key), {}};
}

key_lookup unknown(std::string fault) {
    return {key_lookup::kind::unknown, std::nullopt, std::move(fault)};
}

key_lookup unknown(std::string_view wanted, std::span<const std::string_view> allowed) {
    if (const auto near = nearest(wanted, allowed, 1); !near.empty()) {
        return unknown("unknown key, " + did_you_mean(near));
    }
    std::string text = "unknown key, allowed here: ";
    for (std::size_t i = 0; i < allowed.size(); ++i) {
        text.append(i == 0 ? "" : ", ").append(allowed[i]);
    }
    return unknown(std::move(text));
}

template <class Section, std::size_t N>
key_lookup unknown_in(std::string_view wanted, std::span<const row<Section>, N> rows, std::string_view extra = {}) {
    std::vector<std::string_view> names;
    for (const row<Section>& r : rows) {
        names.push_back(r.name);
    }
    if (!extra.empty()) {
        names.push_back(extra);
    }
    return unknown(wanted, names);
}

template <class Section, std::size_t N>
const row<Section>* find_row(std::span<const row<Section>, N> rows, std::string_view name) {
    const auto found = std::find_if(rows.begin(), rows.end(), [&](const row<Section>& r) { return r.name == name; });
    return found == rows.end() ? nullptr : &*found;
}

bool is_visible(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

bool is_provider_name(std::string_view name) {
    static constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
    return !name.empty() && name.size() <= 32 && name.find_first_not_of(allowed) == std::string_view::npos;
}

bool is_model_name(std::string_view name) {
    return !name.empty() && name.size() <= 96 && is_visible(name);
}

bool is_path(std::string_view name) {
    return name.starts_with('/') && name.size() <= 128 && is_visible(name);
}

/// Finds a key of one entry of a map, and makes the entry.
template <class Section, std::size_t N>
key_lookup find_in_map(std::map<std::string, Section>& map, std::span<const row<Section>, N> rows, const key_path& path,
                       bool good_name, std::string_view name_rule) {
    if (!good_name) {
        return unknown(std::string("not a name, allowed: ").append(name_rule));
    }
    if (path.size() == 2) {
        map.try_emplace(path[1]);
        return known_table();
    }
    const row<Section>* found = path.size() == 3 ? find_row(rows, path[2]) : nullptr;
    if (found != nullptr) {
        return known(bind(*found, path, map[path[1]]));
    }
    key_lookup result = unknown_in(path[2], rows);
    if (!result.fault.ends_with('?')) {  // perhaps [models.gpt-5.2] was meant as one name
        const key_path whole{path[0], path[1] + "." + path[2]};
        result.fault += "; a name with a dot is written in quotes: " + dotted(whole);
    }
    return result;
}

/// A key or section that does not exist at the top: perhaps one that belongs into a section.
key_lookup unknown_at_top(config& values, std::string_view wanted) {
    for (const config_key& key : keys_of(values)) {
        if (key.path.size() == 2 && key.path[1] == wanted) {
            return unknown("unknown key, did you mean '" + dotted(key.path) + "'?");
        }
    }
    return unknown(wanted, section_names());
}

key_lookup find_in_section(config& values, const key_path& path) {
    key_lookup result;
    each_section(values, [&]<class Section>(std::string_view name, Section& section, auto rows) {
        if (name != path[0]) {
            return;
        }
        const row<Section>* found = path.size() == 2 ? find_row(rows, path[1]) : nullptr;
        result = found != nullptr ? known(bind(*found, path, section))
                                  : unknown_in(path[1], rows, name == "limits" ? "paths"sv : ""sv);
    });
    return result;
}

}  // namespace

std::vector<config_key> keys_of(config& values) {
    std::vector<config_key> keys;
    each_section(values, [&](std::string_view name, auto& section, auto rows) {
        append_all(keys, {std::string(name)}, rows, section);
        if (name == "limits") {
            for (auto& [path, limit] : values.limits.paths) {
                keys.push_back({{"limits", "paths", path}, path_limit, &limit});
            }
        }
    });
    for (auto& [name, provider] : values.providers) {
        append_all(keys, {"providers", name}, std::span(provider_rows), provider);
    }
    for (auto& [name, model] : values.models) {
        append_all(keys, {"models", name}, std::span(model_rows), model);
    }
    return keys;
}

key_lookup find_key(config& values, const key_path& path) {
    const auto& sections = section_names();
    const bool section = !path.empty() && std::find(sections.begin(), sections.end(), path[0]) != sections.end();
    if (!section) {
        return unknown_at_top(values, path.empty() ? std::string_view() : std::string_view(path[0]));
    }
    if (path.size() == 1) {
        return known_table();
    }
    if (path[0] == "providers") {
        return find_in_map(values.providers, std::span(provider_rows), path, is_provider_name(path[1]),
                           "1 to 32 of a-z, 0-9, '-', '_', '.'");
    }
    if (path[0] == "models") {
        return find_in_map(values.models, std::span(model_rows), path, is_model_name(path[1]),
                           "1 to 96 visible ASCII characters");
    }
    if (path[0] == "limits" && path[1] == "paths" && path.size() <= 3) {
        if (path.size() == 2) {
            return known_table();
        }
        return is_path(path[2]) ? known({path, path_limit, &values.limits.paths[path[2]]})
                                : unknown("not a path, allowed: a route like \"/api/v1/chat/completions\"");
    }
    return find_in_section(values, path);
}

}  // namespace concurred::base
