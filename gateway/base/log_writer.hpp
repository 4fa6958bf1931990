#pragma once

#include "gateway/base/clock.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

namespace concurred::base {

/// What a block of lines belongs to.
enum class log_stream : std::uint8_t { events, access };

struct log_writer_options {
    int events_fd = 2;
    int access_fd = 1;        ///< may be the same; below 0: lines are taken and forgotten
    std::size_t blocks = 64;  ///< blocks of each stream that may wait
};

/// The process's one thread that writes log lines, so that no shard ever waits for a disk, a terminal or a reader of a
/// pipe. Each stream has its own bounded queue: a stuck access log holds up no events. What does not fit is dropped and
/// counted. A destination nobody reads any more loses its lines, counted too, and does nothing else to the process.
/// The thread takes no signals, so that SIGPIPE cannot end the process and the others reach the main thread.
class log_writer {
public:
    /// Starts the thread. Throws std::system_error where the system has no thread left: make it at start-up.
    explicit log_writer(const log_writer_options& options = {});
    /// Stops with one second to spare.
    ~log_writer();
    log_writer(const log_writer&) = delete;
    log_writer& operator=(const log_writer&) = delete;

    /// Hands over a block of whole lines. Any thread; neither waits nor allocates.
    /// \param block  every line ends in a newline. Comes back empty, with the memory of an older block
    /// \return false when the queue is full: `block` is as it was, keep it for later or `drop` it
    [[nodiscard]] bool submit(log_stream stream, std::string& block) noexcept;

    /// Counts the lines of `block` as lost and clears it. Any thread.
    void drop(std::string& block) noexcept;

    /// Counts `lines` that were never made. Any thread.
    void drop(std::uint64_t lines) noexcept;

    /// Lines lost so far. Any thread.
    [[nodiscard]] std::uint64_t dropped() const noexcept;

    /// Waits until all that was submitted before is written or lost. Any thread but a shard's.
    /// \return false when `deadline` came first
    bool flush(steady_time deadline);

    /// Writes what is left and ends the thread; what is not written by `deadline` is lost. Call it once nobody submits.
    /// \return false when the thread hangs in the kernel (a dead network disk): it is left behind, and the process can
    ///         end all the same
    bool stop(steady_time deadline);

private:
    struct shared_state;
    std::unique_ptr<shared_state> state_;
    std::thread thread_;
    bool left_behind_ = false;  ///< the thread may use the state for as long as the kernel holds it
};

}  // namespace concurred::base
