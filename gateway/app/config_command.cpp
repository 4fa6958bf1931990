#include "gateway/app/config_command.hpp"

#include "crypto/tls_context.hpp"
#include "gateway/app/console.hpp"
#include "gateway/app/exit_code.hpp"
#include "gateway/app/json_object.hpp"
#include "upstream/client_tls.hpp"

#include <utility>

namespace concurred::app {

namespace {

using problems_list = std::vector<base::config_problem>;

/// Not part of `load`: other commands may run as a user who must not read the server's key.
void check_tls(const base::config& settings, problems_list& problems) {
    const base::server_config& server = settings.server;
    if (!server.tls_certificate.empty()) {
        if (auto context = crypto::make_server_tls(server.tls_certificate, server.tls_key); !context) {
            problems.push_back(
                {"configuration", "server.tls_certificate", std::string(base::text_of(context.error()))});
        }
    }
    if (auto client = upstream::client_tls::make(settings); !client) {
        problems.push_back({"configuration", "", std::string(base::text_of(client.error()))});
    }
}

template <class Items, class Render>
std::string json_array(const Items& items, Render render) {
    std::string out = "[";
    for (const auto& item : items) {
        out.append(out.size() > 1 ? "," : "").append(render(item));
    }
    return out + "]";
}

std::string as_json(const std::string& file, const std::vector<std::string>& warnings, const problems_list& problems) {
    json_object out;
    out.add("ok", problems.empty()).add("file", file);
    out.add_json("warnings", json_array(warnings, [](const std::string& text) {
                     std::string quoted;
                     base::append_json_text(quoted, text);
                     return quoted;
                 }));
    out.add_json("problems", json_array(problems, [](const base::config_problem& p) {
                     return json_object().add("where", p.where).add("key", p.key).add("message", p.message).text();
                 }));
    return out.text() + "\n";
}

}  // namespace

int check_config_command(const config_options& options, bool json) {
    auto environment = process_environment();
    const std::string file = config_file_of(options, environment);
    load_outcome outcome = load(options, std::move(environment));
    problems_list problems;
    std::vector<std::string> warnings;
    if (auto* loaded = std::get_if<base::loaded_config>(&outcome)) {
        warnings = std::move(loaded->warnings);
        check_tls(*loaded->values, problems);
    } else {
        problems = std::get<problems_list>(std::move(outcome));
    }
    if (json) {
        say(as_json(file, warnings, problems));
        return problems.empty() ? exit_ok : exit_configuration;
    }
    for (const std::string& warning : warnings) {
        remark("warning: " + warning);
    }
    for (const base::config_problem& problem : problems) {
        remark(base::to_text(problem));
    }
    if (!problems.empty()) {
        return exit_configuration;
    }
    say("OK: " + (file.empty() ? "no file; defaults, environment and flags" : file) + "\n");
    return exit_ok;
}

namespace {

/// What a mode of shared limits promises, as a comment.
std::string bound_of(const base::limits_config& limits) {
    if (limits.mode == "local") {
        return {};
    }
    const std::string share = std::to_string(limits.replicas);
    std::string text = "\n# limits.mode = " + limits.mode +
                       ": in T seconds all gateways together admit at most limit x (1 + T / 60) of a key.\n";
    if (limits.mode == "leased") {
        text += "# Of that at most 10 % can lie unused in slices of limit / " +
                std::to_string(std::uint64_t{10} * limits.replicas) + ".\n";
    }
    return text + "# While Redis is away each gateway admits limit / " + share +
           " (at least 1) in 60 s; each loss of what Redis knows can add one limit.\n";
}

}  // namespace

int print_config_command(const config_options& options, bool json) {
    const auto loaded = load_or_complain(options);
    if (!loaded) {
        return exit_configuration;
    }
    say(base::print_config(*loaded, json) + (json ? std::string() : bound_of(loaded->values->limits)));
    return exit_ok;
}

}  // namespace concurred::app
