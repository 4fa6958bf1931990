#include "gateway/app/console.hpp"

#include "gateway/app/exit_code.hpp"
#include "gateway/base/log_text.hpp"
#include "gateway/base/utf8.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <iostream>
#include <system_error>

namespace concurred::app {

namespace {

void write_to(std::FILE* file, std::string_view text) {
    static_cast<void>(std::fwrite(text.data(), 1, text.size(), file));
}

}  // namespace

void say(std::string_view text) {
    write_to(stdout, text);
}

void remark(std::string_view text) {
    write_to(stderr, std::string(text).append("\n"));
}

int complain(int code, std::string_view text) {
    remark(std::string("concurred: ").append(text));
    return code;
}

int complain(const base::error& e) {
    const bool unavailable = e.code == base::errc::service_unavailable;
    return complain(unavailable ? exit_unavailable : exit_failure, base::text_of(e));
}

bool flushed() {
    errno = 0;
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) {
        return true;
    }
    const int number = errno;
    complain(exit_failure, "stdout cannot be written" +
                               (number == 0 ? std::string() : ": " + std::generic_category().message(number)));
    return false;
}

std::string printable(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const base::utf8_character next = base::first_character(text);
        if (next.valid && !base::is_unsafe_in_log(next.value)) {
            out.append(text.substr(0, next.length));
        } else {
            out.append("\xEF\xBF\xBD");
        }
        text.remove_prefix(next.length);
    }
    return out;
}

bool can_ask() {
    return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1;
}

bool ask(std::string_view question) {
    write_to(stderr, std::string(question).append(" [y/N] "));
    std::string answer;
    std::getline(std::cin, answer);
    return answer == "y" || answer == "Y" || answer == "yes";
}

}  // namespace concurred::app
