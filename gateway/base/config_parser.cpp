#include "gateway/base/config_parser.hpp"

#include "gateway/base/config_check.hpp"
#include "gateway/base/config_file.hpp"
#include "gateway/base/config_keys.hpp"
#include "gateway/base/config_reference.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace concurred::base {

namespace {

constexpr std::string_view variable_prefix = "CONCURRED__";
constexpr std::string_view file_suffix = "_FILE";

/// The variables the providers' own SDKs read; of two for one provider the first wins, as in its SDK.
constexpr std::pair<std::string_view, std::string_view> sdk_variables[] = {
    {"OPENAI_API_KEY", "openai"},   {"ANTHROPIC_API_KEY", "anthropic"},
    {"GOOGLE_API_KEY", "google"},   {"GEMINI_API_KEY", "google"},
    {"XAI_API_KEY", "x-ai"},        {"OPENROUTER_API_KEY", "openrouter"},
    {"MINIMAX_API_KEY", "minimax"},
};

bool begins_with(const key_path& path, const key_path& beginning) {
    return path.size() >= beginning.size() && std::equal(beginning.begin(), beginning.end(), path.begin());
}

std::string folder_of(const std::string& file) {
    const std::size_t slash = file.rfind('/');
    return slash == std::string::npos ? std::string() : file.substr(0, slash);
}

/// `server.listen` -> "flag --listen", `log.level` -> "flag --log-level".
std::string flag_name(std::string_view key) {
    std::string name(key.starts_with("server.") ? key.substr(7) : key);
    std::replace_if(
        name.begin(), name.end(), [](char c) { return c == '.' || c == '_'; }, '-');
    return "flag --" + name;
}

/// Puts the sources on top of each other, from weak to strong, and notes where each value came from.
class loader {
public:
    explicit loader(const config_sources& sources) : sources_(sources), draft_{default_config(), {}, {}} {}

    void read_file() {
        if (sources_.file.empty()) {
            return;
        }
        file_content content = read_config_file(sources_.file);
        problems_ = std::move(content.problems);
        key_path skipped;  // the table that was refused last: what it holds is not reported again
        for (const file_entry& entry : content.entries) {
            if (!skipped.empty() && begins_with(entry.path, skipped)) {
                continue;
            }
            if (!read_entry(entry)) {
                skipped = entry.path;
            }
        }
    }

    void read_environment() {
        for (const auto& [name, value] : sources_.environment) {
            if (name.starts_with(variable_prefix)) {
                read_variable(name, value);
            }
        }
    }

    void read_flags() {
        for (const auto& [name, value] : sources_.flags) {
            const place from{flag_name(name), "flag"};
            const key_lookup found = find_key(draft_.values, parse_dotted(name));
            if (found.found == key_lookup::kind::scalar) {
                set(*found.key, untyped_text{value}, from);
            } else {
                problem(from.where, name, found.fault.empty() ? "is a table, not a value" : found.fault);
            }
        }
    }

    /// Provider keys under the names the SDKs use. Whatever set the key before is stronger.
    void read_sdk_variables() {
        for (const auto& [variable, provider] : sdk_variables) {
            const key_lookup found = find_key(draft_.values, {"providers", std::string(provider), "api_key"});
            const std::string name(variable);
            const std::string by_file = name + std::string(file_suffix);
            const std::string value = variable_value(name);
            const std::string path = variable_value(by_file);
            const std::string key = dotted(found.key->path);
            if (!value.empty() && !path.empty()) {
                both_set(name, key);
            } else if (const auto before = draft_.places.find(key); before != draft_.places.end()) {
                const bool other_google = before->second.origin.starts_with("environment GOOGLE_API_KEY");
                if (other_google && !(value + path).empty() && value != variable_value("GOOGLE_API_KEY")) {
                    draft_.warnings.push_back("GOOGLE_API_KEY and GEMINI_API_KEY are both set: GOOGLE_API_KEY is used");
                }
            } else if (!path.empty()) {
                set_from_file(*found.key, path, environment_place(by_file));
            } else if (!value.empty()) {
                set(*found.key, untyped_text{value}, environment_place(name));
            }
        }
    }

    std::variant<loaded_config, std::vector<config_problem>> finish() {
        check_config(draft_, problems_);
        if (!problems_.empty()) {
            return std::move(problems_);
        }
        loaded_config loaded;
        for (const config_key& key : keys_of(draft_.values)) {
            const std::string name = dotted(key.path);
            const auto found = draft_.places.find(name);
            if (found != draft_.places.end()) {
                loaded.origins[name] = found->second.origin;
            } else if (literal(key.rule, key.slot)) {
                loaded.origins[name] = "default";
            }
        }
        loaded.values = std::make_shared<const config>(std::move(draft_.values));
        loaded.warnings = std::move(draft_.warnings);
        return loaded;
    }

private:
    using place = config_place;

    static place environment_place(const std::string& name) { return {"environment " + name, "environment " + name}; }

    std::string variable_value(const std::string& name) const {
        const auto found = sources_.environment.find(name);
        return found == sources_.environment.end() ? std::string() : found->second;
    }

    void problem(std::string where, std::string key, std::string message) {
        problems_.push_back({std::move(where), std::move(key), std::move(message)});
    }

    void both_set(const std::string& name, const std::string& key) {
        problem("environment " + name, key,
                name + " and " + name + std::string(file_suffix) + " are both set, allowed: one of them");
    }

    void set(const config_key& key, const config_scalar& value, place from) {
        const std::string name = dotted(key.path);
        if (auto fault = assign(key.rule, key.slot, value)) {
            problem(from.where, name, *std::move(fault));
        }
        draft_.places[name] = std::move(from);  // a wrong value counts as set: one problem is enough
    }

    void set_from_file(const config_key& key, const std::string& path, place from) {
        resolved_text content = read_value_file(path);
        if (content.fault.empty()) {
            set(key, untyped_text{std::move(content.text)}, std::move(from));
            return;
        }
        // Without the path: the secret itself is easily put where its file is meant.
        const std::string name = dotted(key.path);
        problem(from.where, name, "names a file that cannot be read: " + content.fault);
        draft_.places[name] = std::move(from);
    }

    /// False: what the entry holds, if it is a table, is not looked at.
    bool read_entry(const file_entry& entry) {
        const key_lookup found = find_key(draft_.values, entry.path);
        const std::string line = sources_.file + ":" + std::to_string(entry.line);
        const auto column = found.found == key_lookup::kind::unknown ? entry.key_column : entry.column;
        const place from{line + ":" + std::to_string(column), line};
        const std::string name = dotted(entry.path);
        switch (found.found) {
            case key_lookup::kind::unknown:
                problem(from.where, name, found.fault);
                return false;
            case key_lookup::kind::table:
                if (!entry.table) {
                    problem(from.where, name, "must be a table, is a value");
                }
                draft_.places.try_emplace(name, from);
                return true;
            case key_lookup::kind::scalar:
                break;
        }
        if (entry.table) {
            set(*found.key, foreign_type{"a table"}, from);
            return false;
        }
        const auto* text = std::get_if<std::string>(&entry.value);
        if (text == nullptr) {
            set(*found.key, entry.value, from);
            return true;
        }
        resolved_text resolved = resolve_references(*text, sources_.environment, folder_of(sources_.file));
        if (!resolved.fault.empty()) {
            problem(from.where, name, std::move(resolved.fault));
            draft_.places[name] = from;
        } else if (resolved.has_references) {
            set(*found.key, untyped_text{std::move(resolved.text)}, from);
        } else {
            set(*found.key, std::move(resolved.text), from);
        }
        return true;
    }

    void read_variable(const std::string& name, const std::string& value) {
        const place from = environment_place(name);
        const key_lookup found = find_environment_key(draft_.values, name);
        if (found.found == key_lookup::kind::scalar) {
            set(*found.key, untyped_text{value}, from);
            return;
        }
        if (name.ends_with(file_suffix)) {
            const std::string plain = name.substr(0, name.size() - file_suffix.size());
            const key_lookup secret = find_environment_key(draft_.values, plain);
            if (secret.found == key_lookup::kind::scalar && is_secret(secret.key->rule)) {
                if (sources_.environment.contains(plain)) {
                    both_set(plain, dotted(secret.key->path));
                } else {
                    set_from_file(*secret.key, value, from);
                }
                return;
            }
        }
        problem(from.where, {}, found.fault);
    }

    const config_sources& sources_;
    config_draft draft_;
    std::vector<config_problem> problems_;
};

}  // namespace

std::string to_text(const config_problem& problem) {
    std::string text = problem.where;
    if (!problem.key.empty()) {
        text.append(": ").append(problem.key);
    }
    return text.append(": ").append(problem.message);
}

std::variant<loaded_config, std::vector<config_problem>> load_config(const config_sources& sources) {
    loader load(sources);
    load.read_file();
    load.read_environment();
    load.read_flags();
    load.read_sdk_variables();
    return load.finish();
}

}  // namespace concurred::base
