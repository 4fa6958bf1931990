#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace concurred::bench {

/// How a process is started.
struct child_options {
    std::vector<std::string> command;        ///< the program, found in PATH, and its arguments
    std::string folder;                      ///< its working folder
    std::string output;                      ///< file for its standard output; in `folder`
    std::string errors;                      ///< file for its standard error; in `folder`
    std::vector<std::string> environment{};  ///< further variables, NAME=VALUE
    int core = -1;                           ///< the one processor it may use; below 0: any
};

/// A process of ours, which ends with this object, and also when we die.
class child_process {
public:
    /// \returns the process, or nothing when it could not be started
    [[nodiscard]] static std::optional<child_process> start(const child_options& options);
    child_process(child_process&& other) noexcept;
    child_process& operator=(child_process&& other) noexcept;
    ~child_process();

    [[nodiscard]] pid_t id() const noexcept { return id_; }
    void send(int signal) noexcept;
    [[nodiscard]] bool running() noexcept;
    /// Asks it to end with `signal`, waits, and kills it when it takes longer. \returns its exit code; -1: it was
    /// killed
    int end(int signal, std::chrono::milliseconds patience) noexcept;
    /// Waits for its end. \returns its exit code; -1: a signal ended it
    int wait() noexcept;

private:
    explicit child_process(pid_t id) noexcept : id_(id) {}
    [[nodiscard]] bool reap(bool block) noexcept;

    pid_t id_;
    bool ended_ = false;
    int code_ = -1;
};

/// Waits until the file has a line with `mark` in it, or `gone(child)`. \returns the line; empty: the process ended or
/// time is up
[[nodiscard]] std::string wait_for_line(child_process& child, const std::string& file, const std::string& mark,
                                        std::chrono::milliseconds patience);

}  // namespace concurred::bench
