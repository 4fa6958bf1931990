#pragma once

#include <cstdint>
#include <string_view>

namespace concurred::base {

/// A file descriptor that log lines go to, used by one thread. Never waits for a pipe, a socket or a terminal whose
/// reader is slow. The descriptor's own flags are left alone: other processes may share them.
class log_destination {
public:
    enum class outcome : std::uint8_t {
        written,  ///< the whole text
        blocked,  ///< a part, perhaps nothing: go on when `fd` is writable
        failed,   ///< a part, perhaps nothing: the rest of this text cannot be written (disk full)
        closed,   ///< nobody will ever read again
    };

    /// \param fd  not owned; below 0: everything is taken and forgotten; not open: as if closed by its reader
    explicit log_destination(int fd);
    ~log_destination();
    log_destination(const log_destination&) = delete;
    log_destination& operator=(const log_destination&) = delete;

    /// Writes what goes without waiting and removes it from the front of `text`.
    outcome write(std::string_view& text) noexcept;

    /// What to poll after `blocked`.
    [[nodiscard]] int fd() const noexcept { return fd_; }

private:
    enum class kind : std::uint8_t { none, shut, file, stream, socket };

    /// One system call. Returns its result, -1 and `errno` as `write` does.
    [[nodiscard]] long write_once(std::string_view text) const noexcept;

    int fd_;
    int reopened_ = -1;  ///< a terminal, opened a second time for itself
    kind kind_;
    bool line_open_ = false;  ///< the last byte written was not the end of a line
    bool cut_ = false;        ///< ... and the rest of that line is lost
};

}  // namespace concurred::base
