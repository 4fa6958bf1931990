#include "gateway/base/log_destination.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

namespace concurred::base {

namespace {

/// A pipe that polls as writable takes this much without waiting: one page, and Linux counts room in pages.
constexpr std::size_t stream_step = 4096;

}  // namespace

log_destination::log_destination(int fd) : fd_(fd), kind_(kind::none) {
    struct stat info {};
    if (fd < 0) {
        kind_ = kind::none;
    } else if (::fstat(fd, &info) != 0) {
        // Whatever gets this number later is no log: a database, a client.
        kind_ = kind::shut;
        fd_ = -1;
    } else if (S_ISSOCK(info.st_mode)) {
        kind_ = kind::socket;
    } else if (S_ISFIFO(info.st_mode)) {
        kind_ = kind::stream;
    } else if (S_ISCHR(info.st_mode) && ::isatty(fd) == 1) {
        kind_ = kind::stream;
        // A terminal polls as writable with room for one byte. Opened again it has flags of its own and can say no.
        const std::string path = "/proc/self/fd/" + std::to_string(fd);
        reopened_ = ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        fd_ = reopened_ >= 0 ? reopened_ : fd;
    } else {
        kind_ = kind::file;  // a disk or /dev/null: always ready
    }
}

log_destination::~log_destination() {
    if (reopened_ >= 0) {
        ::close(reopened_);
    }
}

long log_destination::write_once(std::string_view text) const noexcept {
    if (kind_ == kind::socket) {
        return ::send(fd_, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    if (kind_ == kind::stream) {
        pollfd room{fd_, POLLOUT, 0};
        if (::poll(&room, 1, 0) == 0) {
            errno = EAGAIN;
            return -1;
        }
        return ::write(fd_, text.data(), std::min(text.size(), stream_step));
    }
    return ::write(fd_, text.data(), text.size());
}

log_destination::outcome log_destination::write(std::string_view& text) noexcept {
    if (kind_ == kind::none) {
        text = {};
        return outcome::written;
    }
    if (kind_ == kind::shut) {
        return outcome::closed;
    }
    while (!text.empty()) {
        const std::string_view next = cut_ ? std::string_view("\n") : text;
        const long count = write_once(next);
        if (count > 0) {
            line_open_ = next[static_cast<std::size_t>(count) - 1] != '\n';
            if (cut_) {
                cut_ = false;
            } else {
                text.remove_prefix(static_cast<std::size_t>(count));
            }
        } else if (count < 0 && errno == EINTR) {
            continue;
        } else if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            return outcome::blocked;
        } else if (count < 0 && (errno == EPIPE || errno == EBADF || errno == ECONNRESET || errno == ENOTCONN)) {
            return outcome::closed;
        } else {
            cut_ = line_open_;
            return outcome::failed;
        }
    }
    return outcome::written;
}

}  // namespace concurred::base
