#include "bench/mock_dialect.hpp"
#include "bench/mock_json.hpp"
#include "bench/mock_openai_chat.hpp"
#include "bench/mock_openai_check.hpp"
#include "bench/mock_words.hpp"

#include <algorithm>
#include <cstring>

namespace concurred::bench {
namespace {

constexpr std::uint64_t base64_shape = 1;
constexpr unsigned dimensions_at = 1;  // 24 bits
constexpr unsigned inputs_at = 25;
constexpr std::uint64_t dimensions_limit = (1U << 24) - 1;
constexpr std::uint32_t usual_dimensions = 8;

/// Element `at` of the vector of input `index`: something between -1 and 1 that a binary fraction holds exactly.
float element(std::uint64_t index, std::uint64_t at) noexcept {
    return static_cast<float>(static_cast<int>((index * 37 + at * 11) % 64) - 32) / 32.0F;
}

std::string base64(std::string_view bytes) {
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        std::uint32_t value = 0;
        const std::size_t size = std::min<std::size_t>(3, bytes.size() - at);
        for (std::size_t i = 0; i < 3; ++i) {
            value = value << 8 | (i < size ? static_cast<unsigned char>(bytes[at + i]) : 0U);
        }
        for (std::size_t i = 0; i < 4; ++i) {
            text += i <= size ? digits[value >> (18 - 6 * i) & 63] : '=';
        }
    }
    return text;
}

std::string vector_of(std::uint64_t index, std::uint64_t dimensions, bool encoded) {
    std::string bytes;
    std::string text = "[";
    for (std::uint64_t at = 0; at < dimensions; ++at) {
        const float value = element(index, at);
        if (encoded) {
            bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
        } else {
            text.append(at == 0 ? "" : ",").append(std::to_string(value));
        }
    }
    return encoded ? "\"" + base64(bytes) + "\"" : text + "]";
}

class embeddings_dialect final : public mock_dialect {
public:
    std::string_view name() const noexcept override { return "openai-embeddings"; }

    bool claims(std::string_view path) const noexcept override { return path.ends_with("/embeddings"); }

    mock_failure bad_key(std::string_view key) const override { return openai_mock_dialect().bad_key(key); }

    std::optional<std::string> document(const mock_request&, std::span<const std::string>) const override {
        return std::nullopt;
    }

    mock_call read(const mock_request& request) const override {
        mock_call call;
        std::uint64_t inputs = 1;
        std::uint64_t dimensions = usual_dimensions;
        bool encoded = false;
        const bool object = json::for_each_member(request.body, [&](std::string_view key, std::string_view value) {
            if (key == "model") {
                call.model = json::string_body(value);
            } else if (key == "dimensions") {
                dimensions = std::min<std::uint64_t>(words::number_in(value), 4096);
            } else if (key == "encoding_format") {
                encoded = value == "\"base64\"";
            } else if (key == "input" && value.starts_with("[")) {
                std::uint64_t elements = 0;
                bool texts = false;
                json::for_each_element(value, [&](std::string_view one) {
                    ++elements;
                    texts = one.starts_with("\"") || one.starts_with("[");
                });
                inputs = texts ? elements : 1;  // numbers are the tokens of one input
            }
        });
        call.shape = (encoded ? base64_shape : 0) | dimensions << dimensions_at | inputs << inputs_at;
        call.valid = object && words::printable(call.model) && !call.model.empty();
        return call;
    }

    std::optional<mock_failure> check(const mock_request& request, const mock_call&) const override {
        return check_openai_embeddings(request.body);
    }

    bool strict() const noexcept override { return false; }
    bool ends_with_tool_result(std::string_view) const override { return false; }
    std::string last_user_text(std::string_view) const override { return {}; }
    std::uint32_t tool_tokens(const mock_reply&) const override { return 0; }

    std::string plain_body(const mock_reply& reply) const override {
        const std::uint64_t inputs = reply.shape >> inputs_at;
        const std::uint64_t dimensions = reply.shape >> dimensions_at & dimensions_limit;
        std::string text = "{\"object\":\"list\",\"data\":[";
        for (std::uint64_t i = 0; i < inputs; ++i) {
            text.append(i == 0 ? "" : ",").append("{\"object\":\"embedding\",\"index\":").append(std::to_string(i));
            text.append(",\"embedding\":").append(vector_of(i, dimensions, (reply.shape & base64_shape) != 0));
            text.append("}");
        }
        const std::string tokens = std::to_string(reply.prompt_tokens);
        text.append("],\"model\":\"").append(reply.model).append("\"");
        if (reply.with_usage) {
            text.append(",\"usage\":{\"prompt_tokens\":").append(tokens);
            text.append(",\"total_tokens\":").append(tokens).append("}");
        }
        return text.append("}");
    }

    mock_frames frames(const mock_reply&) const override { return {}; }
    std::string fields(const mock_settings& settings) const override { return openai_fields(settings); }

    std::string error_body(const mock_settings& settings, std::string_view model) const override {
        return openai_mock_dialect().error_body(settings, model);
    }
    std::string error_event(std::string_view code) const override { return openai_mock_dialect().error_event(code); }
    std::string failure_body(const mock_failure& failure) const override {
        return openai_mock_dialect().failure_body(failure);
    }
};

}  // namespace

const mock_dialect& embeddings_mock_dialect() noexcept {
    static const embeddings_dialect dialect;
    return dialect;
}

}  // namespace concurred::bench
