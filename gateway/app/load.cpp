#include "gateway/app/load.hpp"

#include "crypto/key_ring.hpp"
#include "gateway/app/console.hpp"
#include "gateway/base/config_keys.hpp"
#include "gateway/net/url.hpp"
#include "storage/redis_url.hpp"
#include "upstream/model_registry.hpp"

#include <unistd.h>

#include <algorithm>
#include <string_view>

namespace concurred::app {

namespace {

constexpr const char* default_file = "concurred.toml";
constexpr const char* file_variable = "CONCURRED_CONFIG";

/// Where `key` was set; for a table, where the first of its keys was.
std::string place_of(const base::loaded_config& loaded, const std::string& key) {
    auto found = loaded.origins.find(key);
    if (found == loaded.origins.end()) {
        found = loaded.origins.lower_bound(key + ".");
        if (found == loaded.origins.end() || !found->first.starts_with(key + ".")) {
            return "configuration";
        }
    }
    return found->second;
}

std::vector<base::config_problem> deeper_problems(const base::loaded_config& loaded) {
    std::vector<base::config_problem> problems;
    const auto add = [&](const std::string& key, std::string_view message) {
        problems.push_back({place_of(loaded, key), key, std::string(message)});
    };
    const base::config& values = *loaded.values;
    if (!values.secrets.master_key.empty()) {
        if (auto key = crypto::key_ring::parse(values.secrets.master_key); !key) {
            add("secrets.master_key", base::text_of(key.error()));
        }
    }
    if (!values.redis.url.empty()) {
        if (auto url = storage::parse_redis_url(values.redis.url, !values.redis.sentinel_master.empty()); !url) {
            add("redis.url", base::text_of(url.error()));
        }
    }
    for (const auto& [name, provider] : values.providers) {
        if (auto url = net::parse_url(provider.base_url); !url) {
            add(base::dotted(base::key_path{"providers", name, "base_url"}), base::text_of(url.error()));
        }
    }
    const auto models = upstream::make_model_registry(values);
    if (const auto* wrong = std::get_if<std::vector<upstream::model_problem>>(&models)) {
        for (const upstream::model_problem& problem : *wrong) {
            add(problem.key, problem.message);
        }
    }
    return problems;
}

/// Problems of `--set` are named after it, not after a flag that does not exist.
void name_the_flag(std::vector<base::config_problem>& problems, const config_options& options) {
    for (base::config_problem& problem : problems) {
        const bool shorthand = std::any_of(options.shorthands.begin(), options.shorthands.end(),
                                           [&](const auto& flag) { return flag.first == problem.key; });
        if (problem.where.starts_with("flag") && !shorthand) {
            problem.where = "flag --set";
        }
    }
}

}  // namespace

std::map<std::string, std::string> process_environment() {
    std::map<std::string, std::string> variables;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        const std::size_t equals = text.find('=');
        if (equals != std::string_view::npos) {
            variables.emplace(text.substr(0, equals), text.substr(equals + 1));
        }
    }
    return variables;
}

std::string config_file_of(const config_options& options, const std::map<std::string, std::string>& environment) {
    if (!options.file.empty()) {
        return options.file;
    }
    if (const auto found = environment.find(file_variable); found != environment.end() && !found->second.empty()) {
        return found->second;
    }
    return ::access(default_file, F_OK) == 0 ? default_file : "";
}

load_outcome load(const config_options& options, std::map<std::string, std::string> environment) {
    base::config_sources sources;
    sources.file = config_file_of(options, environment);
    sources.environment = std::move(environment);
    for (const std::string& pair : options.set) {
        const std::size_t equals = pair.find('=');
        sources.flags.emplace_back(pair.substr(0, equals), equals == std::string::npos ? "" : pair.substr(equals + 1));
    }
    sources.flags.insert(sources.flags.end(), options.shorthands.begin(), options.shorthands.end());
    load_outcome outcome = base::load_config(sources);
    if (const auto* loaded = std::get_if<base::loaded_config>(&outcome)) {
        if (auto problems = deeper_problems(*loaded); !problems.empty()) {
            outcome = std::move(problems);
        }
    }
    if (auto* problems = std::get_if<std::vector<base::config_problem>>(&outcome)) {
        name_the_flag(*problems, options);
    }
    return outcome;
}

std::optional<base::loaded_config> load_or_complain(const config_options& options) {
    load_outcome outcome = load(options, process_environment());
    if (const auto* problems = std::get_if<std::vector<base::config_problem>>(&outcome)) {
        for (const base::config_problem& problem : *problems) {
            remark(base::to_text(problem));
        }
        return std::nullopt;
    }
    return std::get<base::loaded_config>(std::move(outcome));
}

}  // namespace concurred::app
