#include "bench/load_rig.hpp"
#include "gateway/net/url.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

namespace concurred::bench {

namespace asio = boost::asio;
namespace http = boost::beast::http;

std::optional<std::string> get_text(const std::string& url) {
    const auto target = net::parse_url(url);
    if (!target || target->tls) {
        return std::nullopt;
    }
    boost::system::error_code failure;
    asio::io_context context{1};
    asio::ip::tcp::socket socket(context);
    socket.connect({asio::ip::make_address(target->host, failure), target->port}, failure);
    http::request<http::empty_body> request(http::verb::get, target->path, 11);
    request.set(http::field::host, target->host_header());
    request.keep_alive(false);
    if (!failure) {
        http::write(socket, request, failure);
    }
    boost::beast::flat_buffer buffer;
    http::response<http::string_body> answer;
    if (!failure) {
        http::read(socket, buffer, answer, failure);
    }
    if (failure || answer.result() != http::status::ok) {
        return std::nullopt;
    }
    return std::move(answer.body());
}

}  // namespace concurred::bench
