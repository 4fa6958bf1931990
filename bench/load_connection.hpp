#pragma once

#include "bench/load_answer.hpp"
#include "bench/load_figures.hpp"
#include "bench/load_worker.hpp"
#include "gateway/base/event.hpp"
#include "gateway/net/byte_stream.hpp"

#include <array>
#include <optional>

#include <sys/uio.h>

namespace concurred::bench {

/// One client of the target: a connection, made again when it is gone, and the requests on it one after the other.
class load_connection final : private load_answer::listener {
public:
    explicit load_connection(load_worker& owner);
    load_connection(const load_connection&) = delete;
    load_connection& operator=(const load_connection&) = delete;

    /// Makes the request and takes its answer; completes when it is over and counted.
    [[nodiscard]] base::task<> perform(load_job job);
    /// Connects and does nothing.
    [[nodiscard]] base::task<> only_connect();
    /// Ends what is under way.
    void cancel() noexcept;

    /// Given to it while it waits.
    std::optional<load_job> given;
    base::event bell;

private:
    void on_content(const std::optional<token_stamp>& stamp) override;

    [[nodiscard]] base::task<bool> connect();
    [[nodiscard]] base::task<bool> send();
    [[nodiscard]] base::task<outcome> receive();
    [[nodiscard]] base::task<bool> wait(net::wait_type what);
    [[nodiscard]] base::task<> pause(std::chrono::nanoseconds time);
    [[nodiscard]] outcome judge() const;
    [[nodiscard]] outcome interrupted() const noexcept;
    [[nodiscard]] const request_kind& kind() const noexcept { return owner_.plan().what.kinds[job_.kind]; }
    void on_deadline() noexcept;
    void count(outcome what);

    load_worker& owner_;
    std::optional<net::byte_stream> stream_;
    std::optional<net::tcp_socket> connecting_;
    std::optional<load_timer> sleeping_;
    base::timing_wheel::timer deadline_;
    load_answer answer_;
    load_job job_;
    base::steady_time sent_{};
    base::steady_time now_{};           // of the last read
    base::steady_time last_content_{};  // unset: none yet
    std::uint64_t received_ = 0;
    std::uint32_t contents_ = 0;
    bool timed_out_ = false;
    bool fresh_ = true;  // nothing was sent on this connection before
};

}  // namespace concurred::bench
