#include "storage/redis_error.hpp"

#include <boost/throw_exception.hpp>

#include <array>
#include <charconv>
#include <stdexcept>
#include <utility>

namespace concurred::storage {

namespace {

constexpr std::array<std::string_view, 20> names{"down",        "overloaded", "timed_out", "lost",      "protocol",
                                                 "loading",     "readonly",   "noauth",    "wrongpass", "noperm",
                                                 "oom",         "masterdown", "moved",     "ask",       "tryagain",
                                                 "clusterdown", "crossslot",  "noscript",  "busy",      "refused"};
static_assert(names.size() == static_cast<std::size_t>(redis_errc::refused) + 1);

constexpr std::pair<std::string_view, redis_errc> kinds[] = {
    {"LOADING", redis_errc::loading},
    {"READONLY", redis_errc::readonly},
    {"NOAUTH", redis_errc::noauth},
    {"WRONGPASS", redis_errc::wrongpass},
    {"NOPERM", redis_errc::noperm},
    {"OOM", redis_errc::oom},
    {"MASTERDOWN", redis_errc::masterdown},
    {"MOVED", redis_errc::moved},
    {"ASK", redis_errc::ask},
    {"TRYAGAIN", redis_errc::tryagain},
    {"CLUSTERDOWN", redis_errc::clusterdown},
    {"CROSSSLOT", redis_errc::crossslot},
    {"NOSCRIPT", redis_errc::noscript},
    {"BUSY", redis_errc::busy},
};

template <class Integer>
bool parse_whole(std::string_view text, Integer& into) noexcept {
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), into);
    return ec == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string_view to_text(redis_errc code) noexcept {
    return names[static_cast<std::size_t>(code)];
}

redis_errc redis_error_kind(std::string_view text) noexcept {
    const std::string_view word = text.substr(0, text.find(' '));
    for (const auto& [name, code] : kinds) {
        if (word == name) {
            return code;
        }
    }
    // An error inside a script comes with the script's own words around it (Redis 6 and older).
    if (text.find("-OOM ") != std::string_view::npos) {
        return redis_errc::oom;
    }
    if (text.find("-READONLY ") != std::string_view::npos) {
        return redis_errc::readonly;
    }
    return redis_errc::refused;
}

std::optional<redis_redirect> parse_redis_redirect(std::string_view text) {
    const std::size_t first = text.find(' ');
    const std::size_t second = text.find(' ', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos) {
        return std::nullopt;
    }
    const std::string_view address = text.substr(second + 1);
    const std::size_t colon = address.rfind(':');  // an IPv6 address has more of them
    redis_redirect to;
    if (colon == std::string_view::npos || !parse_whole(text.substr(first + 1, second - first - 1), to.slot) ||
        to.slot >= 16'384 || !parse_whole(address.substr(colon + 1), to.port) || to.port == 0) {
        return std::nullopt;
    }
    to.host = address.substr(0, colon);
    return to;
}

void throw_exception_from_error(const redis_error& e, const boost::source_location& where) {
    boost::throw_exception(std::runtime_error("redis: " + std::string(to_text(e.code)) + ": " + e.text), where);
}

}  // namespace concurred::storage
