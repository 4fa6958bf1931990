#include "bench/mock_head.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

namespace concurred::bench {
namespace {

std::string_view reason_of(unsigned status) noexcept {
    constexpr std::array<std::pair<unsigned, std::string_view>, 25> reasons{{
        {101, "Switching Protocols"},
        {200, "OK"},
        {204, "No Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {402, "Payment Required"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {413, "Content Too Large"},
        {422, "Unprocessable Content"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
        {524, "A Timeout Occurred"},
        {529, "Site Overloaded"},
    }};
    const auto* row = std::ranges::find(reasons, status, [](const auto& pair) { return pair.first; });
    return row == reasons.end() ? "Mock" : row->second;
}

void field(std::string& head, std::string_view name, std::string_view value) {
    head.append(name).append(": ").append(value).append("\r\n");
}

void field_if(std::string& head, std::string_view name, std::string_view value) {
    if (!value.empty()) {
        field(head, name, value);
    }
}

}  // namespace

std::string head_start(unsigned status, std::string_view content_type) {
    std::string head = "HTTP/1.1 " + std::to_string(status) + " ";
    head.append(reason_of(status)).append("\r\ndate: ");
    head += mock_stamp::date_mark;
    return head.append("\r\ncontent-type: ").append(content_type).append("\r\n");
}

std::string head_of(const mock_dialect& dialect, const mock_settings& settings, unsigned status,
                    std::string_view content_type, std::string_view base_url) {
    std::string head;
    for (std::uint32_t i = 0; i < settings.interim; ++i) {
        head.append(i % 2 == 0 ? "HTTP/1.1 100 Continue\r\n\r\n"
                               : "HTTP/1.1 103 Early Hints\r\nlink: </mock.css>; rel=preload\r\n\r\n");
    }
    head.append(head_start(status, content_type));
    head.append(dialect.fields(settings));
    if (settings.noisy) {
        field(head, "server", "mock-internal/1.0");
        field(head, "set-cookie", "__cf_bm=mock; path=/; HttpOnly; Secure");
        field(head, "via", "1.1 mock-edge");
        field(head, "cf-ray", "8mock0000000-TXL");
        field(head, "x-internal-cluster", "mock-cluster-7");
    }
    for (std::uint32_t i = 0; i < settings.headers; ++i) {
        field(head, "x-mock-field-" + std::to_string(i), "value");
    }
    if (settings.redirect != 0) {
        field(head, "location", std::string(base_url) + "/mock/redirected");
    }
    if (!dialect.retry_in_head()) {
        return head;
    }
    field_if(head, "retry-after", settings.retry_after);
    if (settings.retry_after_date != mock_settings::never) {
        const auto date = http_date(std::time(nullptr) + settings.retry_after_date);
        field(head, "retry-after", {date.data(), date.size()});
    }
    field_if(head, "retry-after-ms", settings.retry_after_ms);
    field_if(head, "x-should-retry", settings.should_retry);
    return head;
}

std::string small_answer(const mock_stamp& stamp, unsigned status, std::string_view content_type, std::string_view body,
                         bool close, std::string_view fields) {
    std::string head = head_start(status, content_type);
    field(head, "content-length", std::to_string(body.size()));
    head.append(close ? "connection: close\r\n" : "").append(fields).append("\r\n");
    std::string text;
    mock_template(head).append_to(text, stamp);
    return text.append(body);
}

}  // namespace concurred::bench
