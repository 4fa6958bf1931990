#include "bench/mock_control.hpp"

#include "bench/mock_head.hpp"
#include "bench/mock_openai_errors.hpp"

#include <charconv>
#include <cstdint>
#include <string_view>

namespace concurred::bench {
namespace {

constexpr std::string_view requests_path = "/mock/requests/";

std::string not_found(const mock_request& request, const mock_stamp& stamp, std::string_view message) {
    return small_answer(stamp, 404, "application/json", openai_error(message, "invalid_request_error", "not_found"),
                        !request.keep_alive);
}

std::string one_request(const mock_request& request, const mock_board& board, const mock_stamp& stamp) {
    const std::string_view name = request.path.substr(requests_path.size());
    std::uint64_t number = 0;
    const auto [end, failure] = std::from_chars(name.data(), name.data() + name.size(), number);
    const bool valid = name == "last" || (failure == std::errc{} && end == name.data() + name.size() && number != 0);
    const auto seen = valid ? board.find(number) : std::nullopt;
    if (!seen) {
        return not_found(request, stamp, "No such request, or it is no longer kept.");
    }
    std::string fields = "x-mock-request: " + std::to_string(seen->number);
    fields.append("\r\nx-mock-head-length: ").append(std::to_string(seen->head.size()));
    fields.append("\r\nx-mock-body-length: ").append(std::to_string(seen->body_size));
    fields.append("\r\nx-mock-body-kept: ").append(seen->body_kept ? "true\r\n" : "false\r\n");
    if (!seen->body_sha256.empty()) {
        fields.append("x-mock-body-sha256: ").append(seen->body_sha256).append("\r\n");
    }
    return small_answer(stamp, 200, "application/octet-stream", seen->head + seen->body, !request.keep_alive, fields);
}

}  // namespace

bool is_mock_control(const mock_request& request) noexcept {
    return request.path.starts_with("/mock/");
}

std::string answer_mock_control(const mock_request& request, mock_board& board, mock_ledger& ledger,
                                const mock_stamp& stamp) {
    const bool close = !request.keep_alive;
    if (request.path == "/mock/redirected") {
        ledger.add(mock_count::redirected);
        return small_answer(stamp, 200, "text/plain", "The redirect was followed.\n", close);
    }
    if (request.path == "/mock/reset" && request.method == "POST") {
        board.reset();
        return small_answer(stamp, 200, "application/json", "{}\n", close);
    }
    if (request.path == "/mock/ledger" && request.method == "GET") {
        return small_answer(stamp, 200, "application/json", board.json(), close);
    }
    if (request.path.starts_with(requests_path) && request.method == "GET") {
        return one_request(request, board, stamp);
    }
    return not_found(request, stamp, "The mock provider has no such control path or method.");
}

}  // namespace concurred::bench
