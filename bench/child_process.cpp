#include "bench/child_process.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <thread>
#include <utility>

namespace concurred::bench {
namespace {

constexpr std::chrono::milliseconds look_every{5};

/// In the child, between fork and exec: only what is safe there.
[[noreturn]] void become(const child_options& options, char* const* arguments, char* const* environment) noexcept {
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (options.core >= 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET(static_cast<unsigned>(options.core), &set);
        ::sched_setaffinity(0, sizeof set, &set);
    }
    constexpr int mode = O_WRONLY | O_CREAT | O_APPEND;
    const bool ready = ::chdir(options.folder.c_str()) == 0 && ::dup2(::open("/dev/null", O_RDONLY), 0) >= 0 &&
                       ::dup2(::open(options.output.c_str(), mode, 0600), 1) >= 0 &&
                       ::dup2(::open(options.errors.c_str(), mode, 0600), 2) >= 0;
    if (ready) {
        ::execvpe(arguments[0], arguments, environment);
    }
    ::_exit(127);
}

}  // namespace

std::optional<child_process> child_process::start(const child_options& options) {
    std::vector<std::string> texts = options.command;
    std::vector<char*> arguments;
    for (std::string& text : texts) {
        arguments.push_back(text.data());
    }
    arguments.push_back(nullptr);
    std::vector<std::string> added = options.environment;
    std::vector<char*> environment;
    for (std::string& text : added) {
        environment.push_back(text.data());
    }
    for (char** variable = environ; *variable != nullptr; ++variable) {
        environment.push_back(*variable);
    }
    environment.push_back(nullptr);
    const pid_t id = ::fork();
    if (id == 0) {
        become(options, arguments.data(), environment.data());
    }
    return id < 0 ? std::nullopt : std::optional(child_process(id));
}

child_process::child_process(child_process&& other) noexcept
    : id_(std::exchange(other.id_, -1)), ended_(other.ended_), code_(other.code_) {}

child_process& child_process::operator=(child_process&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(ended_, other.ended_);
    std::swap(code_, other.code_);
    return *this;
}

child_process::~child_process() {
    if (id_ > 0) {
        send(SIGCONT);
        end(SIGKILL, std::chrono::milliseconds{0});
    }
}

void child_process::send(int signal) noexcept {
    if (!ended_) {
        ::kill(id_, signal);
    }
}

bool child_process::reap(bool block) noexcept {
    int status = 0;
    if (!ended_ && ::waitpid(id_, &status, block ? 0 : WNOHANG) == id_) {
        ended_ = true;
        code_ = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    return ended_;
}

bool child_process::running() noexcept {
    return !reap(false);
}

int child_process::wait() noexcept {
    static_cast<void>(reap(true));
    return code_;
}

int child_process::end(int signal, std::chrono::milliseconds patience) noexcept {
    send(signal);
    const auto last = std::chrono::steady_clock::now() + patience;
    while (!reap(false) && std::chrono::steady_clock::now() < last) {
        std::this_thread::sleep_for(look_every);
    }
    if (!ended_) {
        send(SIGKILL);
        static_cast<void>(reap(true));
    }
    return code_;
}

std::string wait_for_line(child_process& child, const std::string& file, const std::string& mark,
                          std::chrono::milliseconds patience) {
    const auto last = std::chrono::steady_clock::now() + patience;
    for (bool running = true; running && std::chrono::steady_clock::now() < last;) {
        running = child.running();
        std::ifstream in(file);
        for (std::string line; std::getline(in, line);) {
            if (!in.eof() && line.find(mark) != std::string::npos) {
                return line;
            }
        }
        std::this_thread::sleep_for(look_every);
    }
    return {};
}

}  // namespace concurred::bench
