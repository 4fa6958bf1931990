#include "gateway/base/access_log.hpp"

#include "gateway/base/end_reason_text.hpp"

namespace concurred::base {

namespace {

/// Lines are handed over when they reach this.
constexpr std::size_t block_size = 32 * 1024;
/// Room for the line that crosses it.
constexpr std::size_t block_reserve = block_size + 8 * 1024;
/// Longest text of one field: a client decides over several of them.
constexpr std::size_t max_field = 256;

/// Appends members of a JSON object. `name` is `,"name":` as it is written.
class member_writer {
public:
    explicit member_writer(std::string& out) noexcept : out_(out) {}

    void text(std::string_view name, std::string_view value) {
        if (!value.empty()) {
            out_ += name;
            append_log_string(out_, value, max_field);
        }
    }
    template <std::integral Integer>
    void number(std::string_view name, Integer value) {
        out_ += name;
        append_integer(out_, value);
    }
    void flag(std::string_view name, bool value) {
        out_ += name;
        out_ += value ? "true" : "false";
    }
    void millis(std::string_view name, std::optional<std::chrono::microseconds> value) {
        if (value) {
            out_ += name;
            append_millis(out_, *value);
        }
    }

private:
    std::string& out_;
};

/// Appends ` name=value` where there is a value.
void append_pair(std::string& out, std::string_view name, std::string_view value) {
    if (!value.empty()) {
        out += name;
        append_log_word(out, value, max_field);
    }
}

}  // namespace

access_log::access_log(log_writer& writer, log_format format, bool enabled)
    : writer_(writer), format_(format), enabled_(enabled) {}

access_log::~access_log() {
    flush();
}

void access_log::write(const access_entry& entry) {
    if (!enabled_) {
        return;
    }
    if (lines_.capacity() < block_reserve) {
        lines_.reserve(block_reserve);
    }
    format_ == log_format::json ? append_json(entry) : append_text(entry);
    if (lines_.size() >= block_size) {
        flush();
    }
}

void access_log::flush() noexcept {
    if (!lines_.empty() && !writer_.submit(log_stream::access, lines_)) {
        writer_.drop(lines_);
    }
}

void access_log::append_json(const access_entry& entry) {
    lines_ += "{\"ts\":\"";
    timestamp_.append(lines_, entry.ts);
    lines_ += '"';
    member_writer add(lines_);
    add.text(",\"request_id\":", entry.request_id);
    add.text(",\"client_request_id\":", entry.client_request_id);
    add.text(",\"trace_id\":", entry.trace_id);
    add.text(",\"span_id\":", entry.span_id);
    add.text(",\"client.address\":", entry.client_address);
    add.text(",\"method\":", entry.method);
    add.text(",\"route\":", entry.route);
    add.number(",\"status\":", entry.status);
    add.number(",\"bytes_in\":", entry.bytes_in);
    add.number(",\"bytes_out\":", entry.bytes_out);
    add.millis(",\"duration_ms\":", entry.duration);
    add.millis(",\"ttft_ms\":", entry.first_token);
    add.millis(",\"upstream_ms\":", entry.upstream);
    add.millis(",\"overhead_ms\":", entry.overhead);
    add.flag(",\"stream\":", entry.stream);
    add.text(",\"end_reason\":", to_text(entry.end_reason));
    add.text(",\"key_id\":", entry.key_id);
    add.text(",\"owner\":", entry.owner);
    add.text(",\"provider\":", entry.provider);
    add.text(",\"model_requested\":", entry.model_requested);
    add.text(",\"model_served\":", entry.model_served);
    add.flag(",\"byok\":", entry.byok);
    if (entry.tokens) {
        add.number(",\"input_tokens\":", entry.tokens->input());
        add.number(",\"output_tokens\":", entry.tokens->output());
    }
    if (entry.cost_nano_usd) {
        lines_ += ",\"cost_usd\":";
        append_nanos(lines_, *entry.cost_nano_usd);
    }
    add.number(",\"retries\":", entry.retries);
    add.text(",\"fallback_from\":", entry.fallback_from);
    add.text(",\"user_agent\":", entry.user_agent);
    add.text(",\"upstream_request_id\":", entry.upstream_request_id);
    lines_ += "}\n";
}

void access_log::append_text(const access_entry& entry) {
    timestamp_.append_time_of_day(lines_, entry.ts);
    lines_ += ' ';
    append_integer(lines_, entry.status);
    lines_ += ' ';
    append_log_word(lines_, entry.method, max_field);
    lines_ += ' ';
    append_log_word(lines_, entry.route, max_field);
    lines_ += ' ';
    append_millis(lines_, entry.duration);
    lines_ += "ms";
    if (entry.first_token) {
        lines_ += " ttft=";
        append_millis(lines_, *entry.first_token);
        lines_ += "ms";
    }
    lines_ += " overhead=";
    append_millis(lines_, entry.overhead);
    lines_ += "ms";
    append_pair(lines_, " provider=", entry.provider);
    append_pair(lines_, " model=", entry.model_served);
    if (entry.tokens) {
        lines_ += " tokens=";
        append_integer(lines_, entry.tokens->input());
        lines_ += '+';
        append_integer(lines_, entry.tokens->output());
    }
    if (entry.cost_nano_usd) {
        lines_ += " usd=";
        append_nanos(lines_, *entry.cost_nano_usd);
    }
    if (entry.end_reason != base::end_reason::completed) {
        append_pair(lines_, " end=", to_text(entry.end_reason));
    }
    append_pair(lines_, " key=", entry.key_id);
    append_pair(lines_, " id=", entry.request_id);
    lines_ += '\n';
}

}  // namespace concurred::base
