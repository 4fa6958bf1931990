#pragma once

#include "gateway/base/log_writer.hpp"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace concurred::base::test {

/// Long enough that only a hang reaches it.
inline steady_time far_away() {
    return std::chrono::steady_clock::now() + std::chrono::seconds(30);
}

/// A descriptor that closes itself.
class owned_fd {
public:
    explicit owned_fd(int fd) : fd_(fd) { REQUIRE(fd >= 0); }
    ~owned_fd() { reset(); }
    owned_fd(const owned_fd&) = delete;
    owned_fd& operator=(const owned_fd&) = delete;
    [[nodiscard]] int get() const { return fd_; }
    void reset() {
        if (fd_ >= 0) {
            ::close(fd_);
        }
        fd_ = -1;
    }

private:
    int fd_;
};

/// A file in memory.
inline owned_fd memory_file() {
    return owned_fd(::memfd_create("log", MFD_CLOEXEC | MFD_ALLOW_SEALING));
}

/// The whole content of a file.
inline std::string content_of(const owned_fd& file) {
    std::string text;
    std::array<char, 4096> part;
    for (;;) {
        const auto size = ::pread(file.get(), part.data(), part.size(), static_cast<off_t>(text.size()));
        if (size <= 0) {
            return text;
        }
        text.append(part.data(), static_cast<std::size_t>(size));
    }
}

/// The lines of a text, which must end in a newline.
inline std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        REQUIRE(end != std::string_view::npos);
        lines.emplace_back(text.substr(0, end));
        text.remove_prefix(end + 1);
    }
    return lines;
}

/// A writer whose streams end in memory.
struct log_capture {
    owned_fd events = memory_file();
    owned_fd access = memory_file();
    log_writer writer{{events.get(), access.get(), 64}};

    std::vector<std::string> event_lines() {
        REQUIRE(writer.flush(far_away()));
        return lines_of(content_of(events));
    }
    std::vector<std::string> access_lines() {
        REQUIRE(writer.flush(far_away()));
        return lines_of(content_of(access));
    }
};

/// Texts that try to leave their place in a line: newlines, terminal escapes, bidirectional controls, fake JSON, broken
/// UTF-8.
inline const std::vector<std::string>& hostile_texts() {
    static const std::vector<std::string> texts{
        "two\nlines",
        "carriage\rreturn",
        "crlf\r\n{\"level\":\"error\",\"msg\":\"forged\"}",
        "\",\"msg\":\"forged\",\"x\":\"",
        "\\",
        "\\\"",
        "tab\tand\vand\fand\b",
        std::string("nul\0inside", 10),
        "\x1b[31mred\x1b[0m",
        "\x1b]0;title\x07",
        "\x7f",
        "\xC2\x9B"
        "31mC1 control",                      // U+009B
        "\xC2\x85next line",                  // U+0085
        "\xE2\x80\xA8line separator",         // U+2028
        "\xE2\x80\xA9paragraph separator",    // U+2029
        "\xE2\x80\xAEoverride",               // U+202E
        "\xE2\x81\xA6isolate\xE2\x81\xA9",    // U+2066, U+2069
        "\xD8\x9C letter mark",               // U+061C
        "zero\xE2\x80\x8Bwidth\xEF\xBB\xBF",  // U+200B, U+FEFF
        "\xF3\xA0\x81\x81 tag",               // U+E0041
        "\x80 stray continuation",
        "cut \xE2\x82",
        "\xC0\xAF overlong",
        "\xED\xA0\x80 surrogate",
        "\xF4\x90\x80\x80 above",
        "\xFF\xFE",
        "ends in a lead byte \xF0",
    };
    return texts;
}

}  // namespace concurred::base::test
