#include "gateway/app/http_probe.hpp"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

namespace concurred::app {

namespace {

using base::errc;
using base::result;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t longest_answer = 16 * 1024;
constexpr std::size_t longest_line = 200;

base::error failure(int number) {
    if (number == ETIMEDOUT) {
        return base::upstream_error(errc::upstream_timeout, "no answer in time");
    }
    return base::upstream_error(errc::upstream_error, std::generic_category().message(number));
}

/// A socket that never blocks beyond the deadline. Failures are errno values; 0 is success.
class probe_socket {
public:
    probe_socket(const addrinfo& address, steady_clock::time_point deadline)
        : fd_(::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)), deadline_(deadline) {}
    ~probe_socket() {
        if (fd_ >= 0) {
            ::close(fd_);
        }
    }
    probe_socket(const probe_socket&) = delete;
    probe_socket& operator=(const probe_socket&) = delete;

    int connect(const addrinfo& address) {
        if (fd_ < 0) {
            return errno;
        }
        if (::connect(fd_, address.ai_addr, address.ai_addrlen) == 0) {
            return 0;
        }
        if (errno != EINPROGRESS) {
            return errno;
        }
        if (const int number = wait(POLLOUT); number != 0) {
            return number;
        }
        int number = 0;
        socklen_t size = sizeof number;
        return ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &number, &size) == 0 ? number : errno;
    }

    int send(std::string_view text) {
        while (!text.empty()) {
            const ssize_t sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
            if (sent >= 0) {
                text.remove_prefix(static_cast<std::size_t>(sent));
            } else if (const int number = again_or_fail(POLLOUT); number != 0) {
                return number;
            }
        }
        return 0;
    }

    /// Reads until the peer closes, or until there is more than anybody needs.
    int receive(std::string& text) {
        std::array<char, 2048> piece;
        while (text.size() < longest_answer) {
            const ssize_t got = ::recv(fd_, piece.data(), piece.size(), 0);
            if (got == 0) {
                return 0;
            }
            if (got > 0) {
                text.append(piece.data(), static_cast<std::size_t>(got));
            } else if (const int number = again_or_fail(POLLIN); number != 0) {
                return number;
            }
        }
        return 0;
    }

private:
    int again_or_fail(short events) { return errno == EAGAIN || errno == EINTR ? wait(events) : errno; }

    int wait(short events) {
        while (true) {
            const auto left = std::chrono::ceil<milliseconds>(deadline_ - steady_clock::now());
            if (left <= milliseconds{0}) {
                return ETIMEDOUT;
            }
            pollfd entry{fd_, events, 0};
            const int ready = ::poll(&entry, 1, static_cast<int>(left.count()));
            if (ready > 0) {
                return 0;
            }
            if (ready < 0 && errno != EINTR) {
                return errno;
            }
        }
    }

    int fd_;
    steady_clock::time_point deadline_;
};

/// Asks for version 1.0 so that the end of the connection is the end of the answer.
std::string request_for(const net::url& target) {
    const std::string& path = target.path.empty() ? "/" : target.path;
    return "GET " + path + " HTTP/1.0\r\nHost: " + target.host_header() +
           "\r\nUser-Agent: concurred-healthcheck\r\nConnection: close\r\n\r\n";
}

result<probe_answer> parse(std::string_view text) {
    probe_answer answer;
    constexpr std::size_t status_at = sizeof "HTTP/1.1 " - 1;
    const bool http = text.starts_with("HTTP/1.") && text.size() >= status_at + 3;
    const char* const status = text.data() + status_at;
    if (!http || std::from_chars(status, status + 3, answer.status).ptr != status + 3) {
        return base::upstream_error(errc::upstream_error, "what answers there does not speak HTTP");
    }
    if (const std::size_t end = text.find("\r\n\r\n"); end != std::string_view::npos) {
        const std::string_view body = text.substr(end + 4);
        answer.first_line = body.substr(0, std::min(body.find_first_of("\r\n"), longest_line));
    }
    return answer;
}

}  // namespace

result<probe_answer> http_probe(const net::url& target, milliseconds budget) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int resolved = ::getaddrinfo(target.host.c_str(), std::to_string(target.port).c_str(), &hints, &found);
    if (resolved != 0) {
        return base::upstream_error(errc::upstream_error,
                                    "the name cannot be resolved: " + std::string(gai_strerror(resolved)));
    }
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, &::freeaddrinfo);
    const auto deadline = steady_clock::now() + budget;
    int number = EADDRNOTAVAIL;
    for (const addrinfo* address = addresses.get(); address != nullptr; address = address->ai_next) {
        probe_socket socket(*address, deadline);
        if (number = socket.connect(*address); number != 0) {
            continue;
        }
        std::string text;
        if (number = socket.send(request_for(target)); number == 0) {
            number = socket.receive(text);
        }
        return number == 0 ? parse(text) : failure(number);
    }
    return failure(number);
}

}  // namespace concurred::app
