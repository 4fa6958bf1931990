#pragma once

#include "storage/redis_client.hpp"
#include "tests/integration/net_loop.hpp"

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

namespace concurred::storage::test {

/// Whether redis-server is installed; says so when it is not, so that a skipped test is seen.
[[nodiscard]] bool redis_installed();
[[nodiscard]] unsigned short free_port();

/// A folder of one test, removed with all that is in it.
class scratch_folder {
public:
    scratch_folder();
    ~scratch_folder();
    scratch_folder(const scratch_folder&) = delete;
    scratch_folder& operator=(const scratch_folder&) = delete;
    [[nodiscard]] std::string path(const std::string& name = {}) const { return path_ / name; }

private:
    std::filesystem::path path_;
};

/// A real redis-server (or Sentinel) of this test alone. Ends with it, whatever happens.
class redis_server {
public:
    /// @param options as on the command line: {"--maxmemory", "4mb"}. @param sentinel_config not empty: a Sentinel with
    /// this configuration
    explicit redis_server(std::vector<std::string> options = {}, const std::string& sentinel_config = {});
    ~redis_server();
    redis_server(const redis_server&) = delete;
    redis_server& operator=(const redis_server&) = delete;

    /// Starts it and waits until it answers (with an error too). Done by the constructor.
    void start();
    void kill();
    void pause();
    void resume();

    [[nodiscard]] unsigned short port() const noexcept { return port_; }
    [[nodiscard]] std::string url() const { return "redis://127.0.0.1:" + std::to_string(port_); }
    [[nodiscard]] std::string socket_path() const { return folder_.path("s"); }
    /// Output of redis-cli with these words.
    std::string cli(const std::string& words) const;

private:
    scratch_folder folder_;
    unsigned short port_;
    std::vector<std::string> options_;
    std::string config_file_;
    ::pid_t process_ = -1;
};

/// A client on a loop that the test turns. Stops and waits for its end when the test is over.
class client_rig {
public:
    explicit client_rig(const std::string& url, const std::function<void(redis_settings&)>& change = {});
    ~client_rig();

    /// Waits until it is connected.
    client_rig& connected();
    /// Turns the loop until the condition holds, and asks again and again: for what other processes do.
    void until(const std::function<bool()>& condition);
    /// Sends a command and waits for what becomes of it.
    redis_result ask(std::initializer_list<std::string_view> words);
    /// The code of the failure, "" for success.
    std::string outcome(std::initializer_list<std::string_view> words);

    net::test::loop loop;
    std::vector<redis_errc> troubles;
    std::unique_ptr<redis_client> client;
};

/// Waits until the condition holds, turning nothing: for what other processes do.
void eventually(const std::function<bool()>& condition);

}  // namespace concurred::storage::test
