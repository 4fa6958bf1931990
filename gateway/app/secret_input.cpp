#include "gateway/app/secret_input.hpp"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace concurred::app {

namespace {

/// Turns the echo of a terminal off, until it is destroyed.
class silent_terminal {
public:
    explicit silent_terminal(int descriptor) : descriptor_(descriptor) {
        if (::isatty(descriptor) == 1 && ::tcgetattr(descriptor, &before_) == 0) {
            ::termios quiet = before_;
            quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
            changed_ = ::tcsetattr(descriptor, TCSAFLUSH, &quiet) == 0;
        }
    }
    ~silent_terminal() {
        if (changed_) {
            static_cast<void>(::tcsetattr(descriptor_, TCSAFLUSH, &before_));
            std::fputc('\n', stderr);
        }
    }
    silent_terminal(const silent_terminal&) = delete;
    silent_terminal& operator=(const silent_terminal&) = delete;

private:
    int descriptor_;
    ::termios before_{};
    bool changed_ = false;
};

base::error bad_secret(std::string text) {
    return base::client_error(base::errc::bad_request, std::move(text));
}

}  // namespace

base::result<crypto::secret_string> read_secret(const std::string& path, std::string_view what) {
    const int descriptor = path.empty() ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return bad_secret("the file with the key cannot be read: " + std::string(std::strerror(errno)));
    }
    if (path.empty() && ::isatty(descriptor) == 1) {
        std::fprintf(stderr, "%.*s (it is not shown): ", static_cast<int>(what.size()), what.data());
        std::fflush(stderr);
    }
    std::array<char, 4097> bytes;
    std::size_t size = 0;
    {
        const silent_terminal silence(descriptor);
        while (size < bytes.size()) {
            const ::ssize_t n = ::read(descriptor, bytes.data() + size, bytes.size() - size);
            if (n <= 0) {
                break;
            }
            size += static_cast<std::size_t>(n);
            if (std::memchr(bytes.data(), '\n', size) != nullptr) {
                break;
            }
        }
    }
    if (!path.empty()) {
        ::close(descriptor);
    }
    const std::string_view all(bytes.data(), size);
    crypto::secret_string secret(all.substr(0, all.find_first_of("\r\n")));
    OPENSSL_cleanse(bytes.data(), bytes.size());
    if (secret.empty() || size == bytes.size()) {
        return bad_secret(secret.empty()
                              ? "no key was given: write it to standard input, or name a file with --key-file"
                              : "the key is too long");
    }
    return secret;
}

}  // namespace concurred::app
