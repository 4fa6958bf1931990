#include "gateway/base/config_check.hpp"

#include "gateway/base/config_keys.hpp"

#include <utility>

namespace concurred::base {

namespace {

class checker {
public:
    checker(config_draft& draft, std::vector<config_problem>& problems) : draft_(draft), problems_(problems) {}

    void check_server() {
        const server_config& server = draft_.values.server;
        if (server.tls_certificate.empty() != server.tls_key.empty()) {
            const bool key_missing = server.tls_key.empty();
            problem(key_missing ? "server.tls_certificate" : "server.tls_key",
                    key_missing ? "is set without server.tls_key, allowed: both or none"
                                : "is set without server.tls_certificate, allowed: both or none");
        }
        if (server.listen.port != 0 && server.listen.port == server.admin_listen.port &&
            server.listen.host == server.admin_listen.host) {
            problem(is_set("server.admin_listen") ? "server.admin_listen" : "server.listen",
                    "server.listen and server.admin_listen are the same address, allowed: two different ones");
        }
        if (!is_loopback(server.listen.host) && server.tls_certificate.empty()) {
            warning(
                "server.listen is " + to_text(server.listen) +
                " without TLS: keys and prompts cross the network readable unless a proxy in front encrypts them; set "
                "server.tls_certificate and server.tls_key");
        }
        if (!is_loopback(server.admin_listen.host)) {
            warning("server.admin_listen is " + to_text(server.admin_listen) +
                    ": metrics are readable without a key by whoever reaches it");
        }
    }

    void check_limits() {
        const limits_config& limits = draft_.values.limits;
        if (limits.default_rate_limit > limits.max_rate_limit) {
            problem(is_set("limits.default_rate_limit") ? "limits.default_rate_limit" : "limits.max_rate_limit",
                    "limits.default_rate_limit must not be above limits.max_rate_limit");
        }
        if (limits.target_bytes > limits.header_bytes) {
            problem(is_set("limits.target_bytes") ? "limits.target_bytes" : "limits.header_bytes",
                    "limits.target_bytes must not be above limits.header_bytes");
        }
    }

    void check_unkey() {
        const unkey_config& unkey = draft_.values.unkey;
        const unkey_config usual;
        for (const auto& [key, set] : {std::pair{"unkey.base_url", unkey.base_url != usual.base_url},
                                       std::pair{"unkey.manage_key", !unkey.manage_key.empty()},
                                       std::pair{"unkey.ca_file", !unkey.ca_file.empty()}}) {
            if (set && unkey.verify_key.empty()) {
                problem(key, "is set without unkey.verify_key, allowed: unkey.verify_key with or without it");
            }
        }
        if (unkey.manage_key.empty() != unkey.api_id.empty()) {
            const bool id_missing = unkey.api_id.empty();
            problem(id_missing ? "unkey.manage_key" : "unkey.api_id",
                    id_missing ? "is set without unkey.api_id, allowed: both or none"
                               : "is set without unkey.manage_key, allowed: both or none");
        }
        if (!unkey.api_id.empty() && unkey.api_id.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWX"
                                                                    "YZ0123456789_") != std::string::npos) {
            problem("unkey.api_id", "is not an id, allowed: letters, digits and '_', as in api_1234");
        }
        if (!unkey.verify_key.empty() && unkey.verify_key == unkey.manage_key) {
            warning(
                "unkey.verify_key and unkey.manage_key are the same root key: give the first only the permission to "
                "verify keys, so that it is worth less to whoever gets hold of it");
        }
        if (!unkey.verify_key.empty() && goes_out_in_plain(unkey.base_url)) {
            warning(
                "unkey.base_url is plain HTTP to another machine: root keys and API keys cross the network readable");
        }
    }

    void check_supabase() {
        const supabase_config& supabase = draft_.values.supabase;
        for (const auto& [key, set] : {std::pair{"supabase.jwt_secret", !supabase.jwt_secret.empty()},
                                       std::pair{"supabase.jwks_url", !supabase.jwks_url.empty()}}) {
            if (set && supabase.url.empty()) {
                problem(key, "is set without supabase.url, allowed: both, or supabase.url alone");
            }
        }
        // Who can change the keys on the way can sign sessions.
        if (goes_out_in_plain(supabase.jwks_url)) {
            problem("supabase.jwks_url", "is plain HTTP to another machine, allowed: https://");
        }
        const bool fetched = supabase.jwt_secret.empty() && supabase.jwks_url.empty();
        if (fetched && goes_out_in_plain(supabase.url)) {
            problem("supabase.url",
                    "is plain HTTP to another machine, and the keys are fetched from it, allowed: https://");
        }
    }

    void check_redis() {
        const redis_config& redis = draft_.values.redis;
        const limits_config& limits = draft_.values.limits;
        if (redis.url.empty() && !redis.sentinel_master.empty()) {
            problem("redis.sentinel_master", "is set without redis.url, which has to list the Sentinels");
        }
        if (redis.url.empty() && redis.required) {
            problem("redis.required", "is set without redis.url");
        }
        if (redis.client_name.find_first_of(" \r\n") != std::string::npos) {
            problem("redis.client_name", "holds a space, which Redis does not allow in names of connections");
        }
        if (limits.mode != "local" && redis.url.empty()) {
            problem("limits.mode", "is '" + limits.mode + "' without redis.url, allowed without Redis: local");
        }
        if (limits.mode != "local" && limits.replicas == 1) {
            warning("limits.mode is '" + limits.mode +
                    "' and limits.replicas is 1: while Redis is away, each gateway allows the whole limit; set "
                    "limits.replicas to the number of gateways");
        }
        if (limits.mode == "local" && limits.replicas > 1) {
            warning(
                "limits.replicas counts only with limits.mode strict or leased: each gateway allows the whole limit");
        }
    }

    void check_providers() {
        for (const auto& [name, provider] : draft_.values.providers) {
            const std::string table = dotted(key_path{"providers", name});
            const std::string url = table + ".base_url";
            if (provider.base_url.empty() && !is_set(url)) {
                problems_.push_back({place_of_table(table), url,
                                     "is missing: only the built-in providers have one, allowed: "
                                     "http(s)://host[:port][/path]"});
            }
            if (provider.has_key() && goes_out_in_plain(provider.base_url)) {
                warning(url +
                        " is plain HTTP to another machine: the provider's key and all prompts cross the network "
                        "readable");
            }
        }
    }

private:
    bool is_set(const std::string& key) const { return draft_.places.contains(key); }

    void problem(const std::string& key, std::string message) {
        const auto found = draft_.places.find(key);
        problems_.push_back({found == draft_.places.end() ? "default" : found->second.where, key, std::move(message)});
    }

    void warning(std::string text) { draft_.warnings.push_back(std::move(text)); }

    /// Where the table was begun, or the first key of it was set.
    std::string place_of_table(const std::string& table) const {
        auto found = draft_.places.find(table);
        if (found == draft_.places.end()) {
            found = draft_.places.lower_bound(table + ".");
        }
        return found == draft_.places.end() ? "default" : found->second.where;
    }

    static bool goes_out_in_plain(std::string_view url) {
        if (!url.starts_with("http://")) {
            return false;
        }
        url.remove_prefix(7);
        const bool bracketed = url.starts_with('[');
        return !is_loopback(bracketed ? url.substr(1, url.find(']') - 1) : url.substr(0, url.find_first_of(":/")));
    }

    config_draft& draft_;
    std::vector<config_problem>& problems_;
};

}  // namespace

void check_config(config_draft& draft, std::vector<config_problem>& problems) {
    checker check(draft, problems);
    check.check_server();
    check.check_limits();
    check.check_redis();
    check.check_unkey();
    check.check_supabase();
    check.check_providers();
}

}  // namespace concurred::base
