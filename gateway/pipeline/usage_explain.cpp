#include "gateway/pipeline/usage_explain.hpp"

#include "crypto/random.hpp"
#include "gateway/base/end_reason_text.hpp"
#include "gateway/base/json_text.hpp"
#include "gateway/base/utc_text.hpp"
#include "storage/call.hpp"
#include "storage/usage_report_json.hpp"
#include "upstream/cost.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace concurred::pipeline {

namespace {

using base::client_error;
using base::errc;
using base::result;

int hex_digit(char c) noexcept {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

std::optional<base::event_id> parse_id(std::string_view text) noexcept {
    base::event_id id{};
    if (text.size() != 36) {
        return std::nullopt;
    }
    std::size_t digits = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (text[i] != '-') {
                return std::nullopt;
            }
            continue;
        }
        const int value = hex_digit(text[i]);
        if (value < 0) {
            return std::nullopt;
        }
        id[digits / 2] = static_cast<std::uint8_t>(id[digits / 2] << 4 | value);
        ++digits;
    }
    return id;
}

/// An exact decimal of `value` / 10^`digits`.
void append_decimal(std::string& out, std::uint64_t value, std::size_t digits) {
    std::string text = std::to_string(value);
    text.insert(0, text.size() <= digits ? digits + 1 - text.size() : 0, '0');
    text.insert(text.size() - digits, ".");
    text.erase(text.find_last_not_of('0') + 1);
    out.append(text.ends_with('.') ? text.substr(0, text.size() - 1) : text);
}

class object_text {
public:
    explicit object_text(std::string& out) : out_(out) { out_.push_back('{'); }
    std::string& key(std::string_view name) {
        out_.append(first_ ? "\"" : ",\"").append(name).append("\":");
        first_ = false;
        return out_;
    }
    object_text& text(std::string_view name, std::string_view value) {
        base::append_json_text(key(name), value);
        return *this;
    }
    object_text& number(std::string_view name, std::uint64_t value) {
        key(name).append(std::to_string(value));
        return *this;
    }
    object_text& truth(std::string_view name, bool value) {
        key(name).append(value ? "true" : "false");
        return *this;
    }
    object_text& usd(std::string_view name, std::int64_t nano) {
        storage::append_usd(key(name), nano);
        return *this;
    }
    void close() { out_.push_back('}'); }

private:
    std::string& out_;
    bool first_ = true;
};

struct token_class {
    const char* name;
    std::uint64_t tokens;
    std::uint64_t price;  // pico-USD per token
};

void append_arithmetic(std::string& out, const base::usage_record& r, const upstream::model_price& price) {
    const token_class classes[] = {
        {"prompt", r.tokens.prompt, price.input},
        {"cacheRead", r.tokens.cache_read, price.cached_input.value_or(price.input)},
        {"cacheWrite", r.tokens.cache_write, price.cache_write.value_or(price.input)},
        {"completion", r.tokens.completion, price.output},
        {"reasoning", r.tokens.reasoning, price.output},
    };
    out.push_back('[');
    bool first = true;
    for (const token_class& c : classes) {
        if (c.tokens == 0) {
            continue;
        }
        out.append(first ? "" : ",");
        first = false;
        object_text line(out);
        line.text("class", c.name).number("tokens", c.tokens);
        append_decimal(line.key("usdPerMillion"), c.price, 6);
        // Real figures; nonsense that does not fit is shown as what was booked, not recomputed.
        std::uint64_t pico = 0;
        if (!__builtin_mul_overflow(c.tokens, c.price, &pico)) {
            append_decimal(line.key("cost"), pico, 12);
        }
        line.close();
    }
    out.push_back(']');
}

}  // namespace

result<base::event_id> parse_explain_query(std::string_view query) {
    constexpr std::string_view name = "id=";
    const auto id = query.starts_with(name) ? parse_id(query.substr(name.size())) : std::nullopt;
    if (!id) {
        return client_error(errc::bad_request,
                            "The query must be 'id=' and the id of a request, as its answer had it in X-Request-ID, "
                            "and nothing else.",
                            "id");
    }
    return *id;
}

std::string render_explanation(const base::usage_record& r, const upstream::model_price* price) {
    std::string out = "{\"success\":true,\"data\":";
    object_text data(out);
    data.text("requestId", crypto::to_text(r.id));
    data.text("admittedAt", base::utc_timestamp(base::wall_time(std::chrono::milliseconds(r.admitted_ms))));
    data.text("day", base::utc_date(r.day)).text("keyId", r.key_id.view()).text("endpoint", r.endpoint.view());
    data.number("status", r.status).text("end", base::to_text(r.end)).text("provider", r.provider.view());
    data.text("modelRequested", r.model_requested.view()).text("model", r.model.view());
    data.text("upstreamRequestId", r.upstream_request_id.view()).truth("byok", r.byok).truth("stream", r.stream);
    object_text tokens(data.key("tokens"));
    tokens.number("prompt", r.tokens.prompt).number("cacheRead", r.tokens.cache_read);
    tokens.number("cacheWrite", r.tokens.cache_write).number("completion", r.tokens.completion);
    tokens.number("reasoning", r.tokens.reasoning).number("total", r.tokens.total());
    tokens.close();
    data.truth("estimated", r.estimated).number("reservedTokens", r.reserved_tokens);
    data.truth("priced", r.priced).number("priceVersion", r.price_version);
    if (r.priced) {
        data.usd("cost", r.cost_nano_usd);
        if (price != nullptr && upstream::cost_nano_usd(r.tokens, *price) == r.cost_nano_usd) {
            append_arithmetic(data.key("arithmetic"), r, *price);
        } else {
            data.key("arithmetic").append("null");
        }
    } else {
        data.key("cost").append("null");
    }
    data.number("latencyMs", r.latency_ms).number("firstTokenMs", r.first_token_ms);
    data.close();
    out.push_back('}');
    return out;
}

base::task<result<http::response>> usage_explain::handle(http::exchange& x) {
    const result<base::event_id> id = parse_explain_query(x.head.query);
    if (!id) {
        co_return id.error();
    }
    auto read = [this, owner = std::string(x.usage.owner.view()), event = *id] { return store_.find(owner, event); };
    const auto found = co_await storage::call(database_, shard_, std::move(read));
    if (!found || !*found) {
        base::error e =
            base::gateway_error(errc::service_unavailable, "Usage cannot be read at the moment. Try again soon.");
        e.retry_after = std::chrono::seconds(1);
        co_return e;
    }
    if (!(**found).has_value()) {
        co_return client_error(errc::not_found,
                               "There is no such request of yours, or not yet, or not any more: usage is written about "
                               "a second after a request ends, and single requests are kept for storage.event_days.",
                               "id");
    }
    const base::usage_record& record = ***found;
    const auto target = models_.resolve(record.model.view());
    x.headers.field("Cache-Control", "no-store");
    http::response r;
    r.content = render_explanation(record, target ? target->price : nullptr);
    co_return std::move(r);
}

}  // namespace concurred::pipeline
