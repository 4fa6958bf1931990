#include "storage/redis_ask.hpp"

#include "storage/redis_socket.hpp"

#include <boost/asio/basic_waitable_timer.hpp>

#include <array>
#include <charconv>
#include <utility>

namespace concurred::storage {

namespace {

using base::task;
using clock = std::chrono::steady_clock;
using timer = boost::asio::basic_waitable_timer<clock, boost::asio::wait_traits<clock>, base::executor>;

task<bool> wait_for(redis_socket& socket, redis_socket::status blocked) {
    const auto what = blocked == redis_socket::status::want_read ? redis_socket::wait_type::wait_read
                                                                 : redis_socket::wait_type::wait_write;
    const auto waited = co_await socket.async_wait(what, base::awaiting);
    co_return !std::get<0>(waited);
}

redis_error broken(bool overdue) {
    return overdue ? redis_error{redis_errc::timed_out, "no answer in time"}
                   : redis_error{redis_errc::lost, "the connection broke"};
}

task<redis_result> converse(redis_socket& socket, std::string out, std::size_t replies, const bool& overdue) {
    for (std::size_t written = 0; written < out.size();) {
        const auto r = socket.try_write(std::string_view(out).substr(written));
        written += r.bytes;
        if (r.is == redis_socket::status::closed) {
            co_return broken(overdue);
        }
        if (r.is != redis_socket::status::ok) {
            const bool ready = co_await wait_for(socket, r.is);
            if (!ready) {
                co_return broken(overdue);
            }
        }
    }
    redis_reader reader;
    std::array<char, 4'096> buffer;
    for (;;) {
        while (auto reply = reader.next()) {
            if (reply->is_error()) {
                co_return redis_error{redis_error_kind(reply->text()), std::string(reply->text())};
            }
            if (--replies == 0) {
                co_return redis_result(std::move(*reply));
            }
        }
        const auto r = socket.try_read(buffer);
        if (r.is == redis_socket::status::closed) {
            co_return broken(overdue);
        }
        if (r.is != redis_socket::status::ok) {
            const bool ready = co_await wait_for(socket, r.is);
            if (!ready) {
                co_return broken(overdue);
            }
        } else if (!reader.feed({buffer.data(), r.bytes})) {
            co_return redis_error{redis_errc::protocol, "the reply is no RESP"};
        }
    }
}

}  // namespace

task<redis_result> redis_ask(base::executor ex, redis_url::transport via, redis_address at, SSL_CTX* tls,
                             std::vector<std::vector<std::string>> commands, std::chrono::milliseconds timeout) {
    redis_socket socket(ex);
    // Shared with the timer's handler, which may run once more when this is over.
    const auto overdue = std::make_shared<bool>(false);
    const auto watched = std::make_shared<redis_socket*>(&socket);
    timer deadline(ex);
    deadline.expires_after(timeout);
    deadline.async_wait([overdue, watched](boost::system::error_code ec) {
        if (!ec && *watched != nullptr) {
            *overdue = true;
            (*watched)->close();
        }
    });
    std::string out;
    for (const auto& command : commands) {
        const std::vector<std::string_view> words(command.begin(), command.end());
        append_redis_command(out, words);
    }
    redis_result answer = redis_error{};
    const base::result<void> opened = co_await socket.open(via, at, tls);
    if (opened) {
        redis_result heard = co_await converse(socket, std::move(out), commands.size(), *overdue);
        answer = std::move(heard);
    } else {
        answer = redis_error{redis_errc::down, std::string(base::text_of(opened.error()))};
    }
    *watched = nullptr;
    deadline.cancel();
    co_return std::move(answer);
}

std::vector<std::vector<std::string>> redis_auth(const std::string& user, const std::string& password) {
    if (password.empty()) {
        return {};
    }
    return {user.empty() ? std::vector<std::string>{"AUTH", password}
                         : std::vector<std::string>{"AUTH", user, password}};
}

task<base::result<redis_address>> redis_find_master(base::executor ex, const redis_settings& settings,
                                                    std::size_t first) {
    std::string why;
    const auto& sentinels = settings.url.hosts;
    for (std::size_t i = 0; i < sentinels.size(); ++i) {
        const redis_address& at = sentinels[(first + i) % sentinels.size()];
        auto commands = redis_auth(settings.sentinel_user, settings.sentinel_password);
        commands.push_back({"SENTINEL", "get-master-addr-by-name", settings.sentinel_master});
        redis_result r =
            co_await redis_ask(ex, settings.url.via, at, settings.tls, std::move(commands), settings.connect_timeout);
        const std::string who = "Sentinel " + at.host + ":" + std::to_string(at.port);
        if (!r) {
            why = who + ": " + std::string(to_text(r.error().code)) + ": " + r.error().text;
            continue;
        }
        redis_address master{std::string((*r)[0].text()), 0};
        const std::string_view port = (*r)[1].text();
        static_cast<void>(std::from_chars(port.data(), port.data() + port.size(), master.port));
        if (!master.host.empty() && master.port != 0) {
            co_return master;
        }
        why = who + " knows no master by the name of sentinel_master";
    }
    co_return base::gateway_error(base::errc::service_unavailable, "no Sentinel names a master; " + why);
}

}  // namespace concurred::storage
