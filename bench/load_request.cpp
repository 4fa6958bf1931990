#include "bench/load_request.hpp"

#include "gateway/base/json_text.hpp"

#include <utility>

namespace concurred::bench {
namespace {

/// Words, so that whatever counts tokens counts some.
std::string prompt_text(std::uint64_t size) {
    constexpr std::string_view words = "The quick brown fox jumps over the lazy dog and runs away. ";
    std::string text;
    text.reserve(size);
    while (text.size() < size) {
        text.append(words.substr(0, size - text.size()));
    }
    return text;
}

std::string body_of(const request_kind& kind, std::string_view model_prefix) {
    std::string body = "{\"model\":";
    base::append_json_text(body, kind.model.empty() ? std::string(model_prefix) + "mock-" + kind.mock : kind.model);
    body.append(",\"messages\":[{\"role\":\"user\",\"content\":");
    base::append_json_text(body, prompt_text(kind.prompt));
    body.append("}]");
    if (kind.stream) {
        body.append(",\"stream\":true");
    }
    if (!kind.fields.empty()) {
        body.append(",").append(kind.fields);
    }
    return body.append("}");
}

}  // namespace

load_request make_load_request(const request_kind& kind, const net::url& target, std::string_view model_prefix,
                               const std::vector<std::string>& fields, std::vector<std::string> keys) {
    load_request request;
    const std::string body = body_of(kind, model_prefix);
    std::string head = "POST " + target.path + kind.path + " HTTP/1.1\r\nHost: " + target.host_header() +
                       "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
    for (const std::string& field : fields) {
        head.append(field).append("\r\n");
    }
    if (keys.empty()) {
        request.before_key = std::move(head);
        request.after_key = "\r\n" + body;
    } else {
        request.before_key = std::move(head.append("Authorization: Bearer "));
        request.after_key = "\r\n\r\n" + body;
    }
    request.keys = std::move(keys);
    return request;
}

}  // namespace concurred::bench
