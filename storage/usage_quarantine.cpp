#include "storage/usage_quarantine.hpp"

#include "crypto/random.hpp"
#include "gateway/base/end_reason_text.hpp"
#include "gateway/base/json_text.hpp"
#include "storage/spool_segment.hpp"
#include "storage/unique_fd.hpp"

#include <fcntl.h>

#include <filesystem>
#include <string_view>
#include <utility>

namespace concurred::storage {

namespace {

class json_line {
public:
    json_line& text(std::string_view name, std::string_view value) {
        key(name);
        base::append_json_text(line_, value);
        return *this;
    }
    template <class Number>
    json_line& number(std::string_view name, Number value) {
        key(name);
        line_.append(std::to_string(value));
        return *this;
    }
    json_line& truth(std::string_view name, bool value) {
        key(name);
        line_.append(value ? "true" : "false");
        return *this;
    }
    [[nodiscard]] std::string finish() && {
        line_.push_back('}');
        return std::move(line_);
    }

private:
    void key(std::string_view name) { line_.append(line_.empty() ? "{\"" : ",\"").append(name).append("\":"); }

    std::string line_;
};

json_line fields_of(const base::usage_record& r) {
    json_line line;
    line.text("event_id", crypto::to_text(r.id)).number("day", r.day).number("admitted_ms", r.admitted_ms);
    line.number("status", r.status).text("ended", base::to_text(r.end)).truth("byok", r.byok).truth("stream", r.stream);
    line.truth("estimated", r.estimated).truth("priced", r.priced).number("price_version", r.price_version);
    line.number("prompt_tokens", r.tokens.prompt).number("cache_read_tokens", r.tokens.cache_read);
    line.number("cache_write_tokens", r.tokens.cache_write).number("completion_tokens", r.tokens.completion);
    line.number("reasoning_tokens", r.tokens.reasoning).number("reserved_tokens", r.reserved_tokens);
    line.number("cost_nano_usd", r.cost_nano_usd).number("latency_ms", r.latency_ms);
    line.number("first_token_ms", r.first_token_ms).text("owner", r.owner.view()).text("key_id", r.key_id.view());
    line.text("endpoint", r.endpoint.view()).text("provider", r.provider.view());
    line.text("model_requested", r.model_requested.view()).text("model", r.model.view());
    line.text("upstream_request_id", r.upstream_request_id.view());
    return line;
}

}  // namespace

std::string usage_record_json(const base::usage_record& record) {
    return fields_of(record).finish();
}

base::result<void> quarantine_record(const std::string& folder, const base::usage_record& record,
                                     const base::error& reason) {
    const std::string place = folder + "/quarantine";
    std::error_code ignored;
    std::filesystem::create_directories(place, ignored);
    const std::string path = place + "/records.jsonl";
    const unique_fd file(::open(path.c_str(), O_CREAT | O_APPEND | O_WRONLY | O_CLOEXEC, 0600));
    json_line fields = fields_of(record);
    fields.text("reason", base::text_of(reason));
    std::string line = std::move(fields).finish();
    line.push_back('\n');
    if (!file || ::write(file.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()) ||
        ::fdatasync(file.get()) != 0) {
        return spool_error("cannot write '" + path + "'");
    }
    return {};
}

}  // namespace concurred::storage
