#include "tests/support/redis_server.hpp"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace concurred::storage::test {

namespace {

constexpr const char* program = "/usr/bin/redis-server";
constexpr std::chrono::seconds patience{20};

}  // namespace

bool redis_installed() {
    const bool there = ::access(program, X_OK) == 0;
    if (!there) {
        std::puts("skipped: redis-server is not installed (tests/packages.txt)");
    }
    return there;
}

unsigned short free_port() {
    boost::asio::io_context io;
    boost::asio::ip::tcp::acceptor probe(io, {boost::asio::ip::make_address("127.0.0.1"), 0});
    return probe.local_endpoint().port();
}

void eventually(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) {
            throw std::runtime_error("what the test waits for does not happen");
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
}

scratch_folder::scratch_folder() {
    std::string name = std::filesystem::temp_directory_path() / "concurred-redis-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) {
        throw std::runtime_error("no temporary folder");
    }
    path_ = name;
}

scratch_folder::~scratch_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

redis_server::redis_server(std::vector<std::string> options, const std::string& sentinel_config)
    : port_(free_port()), options_(std::move(options)) {
    if (!sentinel_config.empty()) {
        config_file_ = folder_.path("sentinel.conf");
        std::ofstream(config_file_) << sentinel_config;
        options_.emplace_back("--sentinel");
    }
    start();
}

redis_server::~redis_server() {
    kill();
}

void redis_server::start() {
    std::vector<std::string> words{program};
    if (!config_file_.empty()) {
        words.push_back(config_file_);
    }
    words.insert(words.end(), {"--port", std::to_string(port_), "--bind", "127.0.0.1", "--dir", folder_.path()});
    if (config_file_.empty()) {
        words.insert(words.end(), {"--save", "", "--unixsocket", socket_path()});
    }
    words.insert(words.end(), options_.begin(), options_.end());
    std::vector<char*> argv;
    for (std::string& word : words) {
        argv.push_back(word.data());
    }
    argv.push_back(nullptr);
    const std::string log = folder_.path("log");
    process_ = ::fork();
    if (process_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
        ::dup2(out, 1);
        ::dup2(out, 2);
        ::execv(program, argv.data());
        ::_exit(127);
    }
    eventually([this] { return !cli("PING").empty(); });
}

void redis_server::kill() {
    if (process_ > 0) {
        ::kill(process_, SIGKILL);
        ::waitpid(process_, nullptr, 0);
        process_ = -1;
    }
}

void redis_server::pause() {
    ::kill(process_, SIGSTOP);
}

void redis_server::resume() {
    ::kill(process_, SIGCONT);
}

std::string redis_server::cli(const std::string& words) const {
    const std::string command = "redis-cli -p " + std::to_string(port_) + " " + words + " 2>/dev/null";
    std::FILE* const pipe = ::popen(command.c_str(), "r");
    std::string out;
    std::array<char, 256> block;
    while (const std::size_t n = std::fread(block.data(), 1, block.size(), pipe)) {
        out.append(block.data(), n);
    }
    ::pclose(pipe);
    return out;
}

client_rig::client_rig(const std::string& url, const std::function<void(redis_settings&)>& change) {
    redis_settings settings;
    // Longer than the default: this machine may be busy. Tests of the deadline set their own.
    settings.command_timeout = std::chrono::seconds{2};
    settings.connect_timeout = std::chrono::seconds{3};
    settings.stall_timeout = std::chrono::seconds{3};
    settings.longest_backoff = std::chrono::milliseconds{100};
    if (change) {
        change(settings);
    }
    settings.url = parse_redis_url(url, !settings.sentinel_master.empty()).value();
    client = std::make_unique<redis_client>(
        loop.executor(), settings, redis_observer{.on_up = {}, .on_down = [this](std::string_view, redis_errc code) {
                                                      troubles.push_back(code);
                                                  }});
    client->start();
}

client_rig::~client_rig() {
    client->stop();
    loop.run_until([this] { return client->at_rest(); });
}

client_rig& client_rig::connected() {
    until([this] { return client->up(); });
    return *this;
}

void client_rig::until(const std::function<bool()>& condition) {
    eventually([&] {
        loop.poll();
        return condition();
    });
}

redis_result client_rig::ask(std::initializer_list<std::string_view> words) {
    const std::span<const std::string_view> all(words.begin(), words.size());
    return loop.run(client->call(words.size() > 1 ? all[1] : "", all));
}

std::string client_rig::outcome(std::initializer_list<std::string_view> words) {
    const redis_result r = ask(words);
    return r ? "" : std::string(to_text(r.error().code));
}

}  // namespace concurred::storage::test
