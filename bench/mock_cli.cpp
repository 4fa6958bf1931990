#include "bench/mock_cli.hpp"

#include "bench/mock_settings.hpp"

#include <CLI/CLI.hpp>

#include <charconv>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace concurred::bench {
namespace {

/// `HOST:PORT` or `[HOST]:PORT`.
void set_listen(const std::string& text, mock_options& options) {
    const auto colon = text.rfind(':');
    std::string host = text.substr(0, colon);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
        host = host.substr(1, host.size() - 2);
    }
    std::uint16_t port = 0;
    const char* end = text.data() + text.size();
    const char* begin = colon == std::string::npos ? end : text.data() + colon + 1;
    const auto parsed = std::from_chars(begin, end, port);
    if (host.empty() || begin == end || parsed.ec != std::errc{} || parsed.ptr != end) {
        throw CLI::ValidationError("--listen", "needs HOST:PORT, for example 127.0.0.1:0");
    }
    options.host = host;
    options.port = port;
}

void add_default(const std::string& pair, mock_options& options) {
    mock_settings scratch;
    if (const auto wrong = apply_mock_spec(pair, scratch)) {
        throw CLI::ValidationError(*wrong);
    }
    options.defaults.append(options.defaults.empty() ? "" : ",").append(pair);
}

/// `NAME=FILE`
void add_trace(const std::string& pair, mock_options& options) {
    const auto mark = pair.find('=');
    if (mark == 0 || mark == std::string::npos) {
        throw CLI::ValidationError("--trace-file", "needs NAME=FILE");
    }
    std::ifstream file(pair.substr(mark + 1));
    std::ostringstream text;
    text << file.rdbuf();
    if (!file) {
        throw CLI::ValidationError("--trace-file", "cannot read " + pair.substr(mark + 1));
    }
    if (const auto wrong = read_mock_trace(text.str(), options.traces[pair.substr(0, mark)]); !wrong.empty()) {
        throw CLI::ValidationError("--trace-file", pair.substr(mark + 1) + ": " + wrong);
    }
}

void add_setting(CLI::App& command, mock_options& options, const mock_setting& row) {
    const std::string name(row.name);
    const std::string flag = "--" + name;
    const std::string help(row.help);
    const char* group = row.fault ? "Faults of every answer" : "Shape of every answer";
    if (std::holds_alternative<bool mock_settings::*>(row.member)) {
        command
            .add_flag_callback(
                flag, [name, &options] { add_default(name, options); }, help)
            ->group(group);
        return;
    }
    auto* option = command.add_option_function<std::string>(
        flag, [name, &options](const std::string& value) { add_default(name + "=" + value, options); }, help);
    option->group(group);
    option->type_name(std::holds_alternative<std::uint32_t mock_settings::*>(row.member)               ? "N"
                      : std::holds_alternative<std::chrono::microseconds mock_settings::*>(row.member) ? "TIME"
                                                                                                       : "TEXT");
    if (!row.bare.empty()) {
        option->expected(0, 1)->default_str(std::string(row.bare));
    }
}

}  // namespace

void add_mock_command(CLI::App& command, mock_options& options) {
    command
        .add_option_function<std::string>(
            "--listen", [&options](const std::string& text) { set_listen(text, options); },
            "numeric address and port; port 0: any free one (default 127.0.0.1:0)")
        ->type_name("HOST:PORT");
    command.add_option("--threads", options.threads, "threads, each with its own acceptor")
        ->check(CLI::Range(1U, 64U))
        ->capture_default_str();
    command.add_option("--model", options.models, "name in the list of models; may be repeated")
        ->allow_extra_args(false);
    command
        .add_option_function<std::vector<std::string>>(
            "--trace-file",
            [&options](const std::vector<std::string>& pairs) {
                for (const auto& pair : pairs) {
                    add_trace(pair, options);
                }
            },
            "recorded times of tokens, one per line, for the setting `trace`; may be repeated")
        ->allow_extra_args(false)
        ->type_name("NAME=FILE");
    command.add_flag("--keep-bodies", options.keep_bodies, "keep the bodies of the last 256 requests");
    command.add_flag("--hash-bodies", options.hash_bodies, "compute the SHA-256 of every request body");
    auto* cert = command.add_option("--tls-cert", options.tls_cert, "PEM file with the certificate chain: serve TLS");
    auto* key = command.add_option("--tls-key", options.tls_key, "PEM file with the private key");
    cert->needs(key);
    key->needs(cert);
    command.add_option_function<std::string>(
        "--set", [&options](const std::string& text) { add_default(text, options); },
        "settings of every answer in one text: tokens=20,first=5ms");
    for (const auto& row : mock_setting_table()) {
        add_setting(command, options, row);
    }
}

}  // namespace concurred::bench
