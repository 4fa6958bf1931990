#include "gateway/net/byte_stream.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>
#include <boost/system/errc.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace concurred::net {

namespace {

// The most that fits into one TLS record (RFC 8446 5.1).
constexpr std::size_t record_size = 16'384;
constexpr std::size_t most_pieces = 1'024;  // IOV_MAX

boost::system::error_code system_error(int number) noexcept {
    return {number, boost::system::system_category()};
}

bool would_block(int number) noexcept {
    return number == EAGAIN || number == EWOULDBLOCK;
}

io_result failure(int number, io_status blocked) noexcept {
    return would_block(number) ? io_result{blocked, 0, {}} : io_result{io_status::failed, 0, system_error(number)};
}

/// What to give to OpenSSL next: the first piece as it lies if it fills a record or is the last, else as much of the
/// pieces as one record holds, copied together. Depends on nothing but what is left to write, because OpenSSL insists
/// on the same bytes when a write is tried again.
std::span<const char> next_record(std::span<const ::iovec> pieces, std::size_t skip, std::span<char> copy) noexcept {
    const auto bytes = [&](std::size_t i) noexcept {
        const std::span<const char> whole(static_cast<const char*>(pieces[i].iov_base), pieces[i].iov_len);
        return i == 0 ? whole.subspan(skip) : whole;
    };
    const std::span<const char> first = bytes(0);
    if (first.size() >= copy.size() || pieces.size() == 1) {
        return first;
    }
    std::size_t size = 0;
    for (std::size_t i = 0; i < pieces.size() && size < copy.size(); ++i) {
        const std::span<const char> piece = bytes(i);
        const std::size_t n = std::min(piece.size(), copy.size() - size);
        if (n != 0) {
            std::memcpy(copy.data() + size, piece.data(), n);
        }
        size += n;
    }
    return copy.first(size);
}

}  // namespace

byte_stream::byte_stream(base::executor ex, int fd, crypto::ssl_handle tls)
    : reactor_(&reactor::of(ex)), entry_(nullptr), fd_(fd), tls_(std::move(tls)) {
    const int flags = ::fcntl(fd_, F_GETFL);
    if ((flags & O_NONBLOCK) == 0) {
        ::fcntl(fd_, F_SETFL, flags | O_NONBLOCK);
    }
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    entry_ = &reactor_->add(fd_);
    if (tls_) {
        // Reads what the socket has in one call, where OpenSSL would read the head and the body of a record separately.
        SSL_set_read_ahead(tls_.get(), 1);
        SSL_set_fd(tls_.get(), fd_);
    }
}

byte_stream::byte_stream(tcp_socket socket, crypto::ssl_handle tls)
    : byte_stream(socket.get_executor(), socket.release(), std::move(tls)) {}

byte_stream::byte_stream(byte_stream&& other) noexcept
    : reactor_(other.reactor_),
      entry_(std::exchange(other.entry_, nullptr)),
      fd_(std::exchange(other.fd_, -1)),
      tls_(std::move(other.tls_)) {}

byte_stream& byte_stream::operator=(byte_stream&& other) noexcept {
    if (this != &other) {
        close();
        reactor_ = other.reactor_;
        entry_ = std::exchange(other.entry_, nullptr);
        fd_ = std::exchange(other.fd_, -1);
        tls_ = std::move(other.tls_);
    }
    return *this;
}

byte_stream::~byte_stream() {
    close();
}

bool byte_stream::ready(wait_type what) const noexcept {
    if (what == wait_type::write) {
        return entry_->writable();
    }
    return entry_->readable() || (tls_ && SSL_has_pending(tls_.get()) == 1);
}

io_result byte_stream::tls_result(int returned, std::size_t bytes) noexcept {
    const int number = errno;
    if (returned > 0) {
        return {io_status::ok, bytes, {}};
    }
    switch (SSL_get_error(tls_.get(), returned)) {
        case SSL_ERROR_WANT_READ:
            entry_->drained();
            return {io_status::want_read, 0, {}};
        case SSL_ERROR_WANT_WRITE:
            entry_->blocked();
            return {io_status::want_write, 0, {}};
        case SSL_ERROR_ZERO_RETURN:
            return {io_status::closed, 0, {}};
        case SSL_ERROR_SYSCALL:
            return number == 0 ? io_result{io_status::closed, 0, stream_truncated}
                               : io_result{io_status::failed, 0, system_error(number)};
        default:
            break;
    }
    if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        ERR_clear_error();
        return {io_status::closed, 0, stream_truncated};
    }
    return {io_status::failed, 0, make_error_code(boost::system::errc::protocol_error)};
}

io_result byte_stream::try_handshake() noexcept {
    if (!tls_) {
        return {};
    }
    ERR_clear_error();
    errno = 0;
    return tls_result(SSL_do_handshake(tls_.get()), 0);
}

io_result byte_stream::try_read(std::span<char> into) noexcept {
    if (into.empty()) {
        return {};
    }
    if (!tls_) {
        for (;;) {
            const ::ssize_t n = ::recv(fd_, into.data(), into.size(), MSG_DONTWAIT);
            if (n > 0) {
                if (static_cast<std::size_t>(n) < into.size()) {
                    entry_->drained();
                }
                return {io_status::ok, static_cast<std::size_t>(n), {}};
            }
            if (n == 0) {
                return {io_status::closed, 0, {}};
            }
            if (errno != EINTR) {
                entry_->drained();
                return failure(errno, io_status::want_read);
            }
        }
    }
    // Records that were read ahead are taken now, or nothing would ever make the socket readable for them.
    std::size_t total = 0;
    do {
        std::size_t n = 0;
        ERR_clear_error();
        errno = 0;
        const int returned = SSL_read_ex(tls_.get(), into.data() + total, into.size() - total, &n);
        const io_result r = tls_result(returned, n);
        if (r.status != io_status::ok) {
            return total == 0 ? r : io_result{io_status::ok, total, {}};
        }
        total += n;
    } while (total < into.size() && SSL_has_pending(tls_.get()) == 1);
    return {io_status::ok, total, {}};
}

io_result byte_stream::try_write(std::span<const ::iovec> pieces) noexcept {
    if (!tls_) {
        ::msghdr message{};
        message.msg_iov = const_cast<::iovec*>(pieces.data());
        message.msg_iovlen = std::min(pieces.size(), most_pieces);
        for (;;) {
            const ::ssize_t n = ::sendmsg(fd_, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
            if (n >= 0) {
                return {io_status::ok, static_cast<std::size_t>(n), {}};
            }
            if (errno != EINTR) {
                entry_->blocked();
                return failure(errno, io_status::want_write);
            }
        }
    }
    std::array<char, record_size> copy;
    std::size_t total = 0;
    std::size_t skip = 0;  // octets of the first piece that are written
    for (;;) {
        while (!pieces.empty() && skip >= pieces.front().iov_len) {
            skip -= pieces.front().iov_len;
            pieces = pieces.subspan(1);
        }
        if (pieces.empty()) {
            return {io_status::ok, total, {}};
        }
        const std::span<const char> record = next_record(pieces, skip, copy);
        std::size_t n = 0;
        ERR_clear_error();
        errno = 0;
        const int returned = SSL_write_ex(tls_.get(), record.data(), record.size(), &n);
        const io_result r = tls_result(returned, n);
        if (r.status != io_status::ok) {
            return total == 0 ? r : io_result{io_status::ok, total, {}};
        }
        total += n;
        skip += n;
    }
}

bool byte_stream::quiet() const noexcept {
    char octet = 0;
    const ::ssize_t n = ::recv(fd_, &octet, 1, MSG_PEEK | MSG_DONTWAIT);
    const bool silent = n < 0 && would_block(errno);
    if (!tls_ || (silent && SSL_has_pending(tls_.get()) == 0)) {
        return silent;
    }
    if (n <= 0 && !silent) {
        return false;
    }
    // Something is there, but it may be a message of TLS itself, such as a ticket for resumption: OpenSSL takes those.
    std::size_t readable = 0;
    ERR_clear_error();
    const int returned = SSL_peek_ex(tls_.get(), &octet, 1, &readable);
    return returned <= 0 && SSL_get_error(tls_.get(), returned) == SSL_ERROR_WANT_READ;
}

bool byte_stream::seems_quiet() const noexcept {
    return reactor_->awake() && !tls_ ? !entry_->readable() : quiet();
}

void byte_stream::shutdown_send() noexcept {
    if (tls_ && SSL_is_init_finished(tls_.get()) == 1) {
        ERR_clear_error();
        SSL_shutdown(tls_.get());
        ERR_clear_error();
    }
    ::shutdown(fd_, SHUT_WR);
}

void byte_stream::close() noexcept {
    if (entry_ != nullptr) {
        reactor_->remove(*std::exchange(entry_, nullptr));
        ::close(std::exchange(fd_, -1));
    }
}

}  // namespace concurred::net
