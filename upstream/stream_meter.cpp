#include "upstream/stream_meter.hpp"

#include "gateway/base/json_text.hpp"
#include "upstream/chunk_facts.hpp"
#include "upstream/error_fields.hpp"

#include <algorithm>
#include <cstring>

namespace concurred::upstream {

stream_meter::stream_meter(usage_events mode, std::size_t hold_limit) noexcept : mode_(mode), hold_limit_(hold_limit) {}

stream_meter::split stream_meter::feed(std::span<char> bytes) {
    char* const base = bytes.data();
    const std::size_t size = bytes.size();
    std::size_t out = 0;  // bytes to forward, moved together at the front
    std::size_t at = 0;   // begin of the current event, or of the part of it that is in this span
    const auto keep = [&](std::size_t end) {
        if (out != at) {
            std::memmove(base + out, base + at, end - at);
        }
        out += end - at;
    };
    while (at != size) {
        const bool between = scanned_ == 0 && kept_.empty() && !long_event_;
        if (between && framer_.takes_line_feed(base[at])) {
            if (!last_dropped_) {
                keep(at + 1);
            }
            ++at;
            continue;
        }
        const char* const found = framer_.find_end(base + at + scanned_, base + size);
        if (found == nullptr) {
            const std::size_t hold = take_rest(bytes.subspan(at));
            if (hold == 0) {
                keep(size);
            }
            return {out, hold};
        }
        const auto end = static_cast<std::size_t>(found - base);
        last_dropped_ = take_event({base + at, end - at}, framer_.lines());
        if (!last_dropped_) {
            keep(end);
        }
        end_event();
        at = end;
    }
    return {out, 0};
}

stream_meter::split stream_meter::finish(std::span<char> held) {
    const bool open = !held.empty() || !kept_.empty() || long_event_;
    const bool dropped = open && take_event({held.data(), held.size()}, 0);
    end_event();
    return {dropped ? 0 : held.size(), 0};
}

std::uint64_t stream_meter::output_bytes() const noexcept {
    return std::max(text_bytes_ + details_bytes_, message_bytes_);
}

/// Takes the part of an unfinished event that the span ends with. Returns how much of it is to be held: all or nothing.
std::size_t stream_meter::take_rest(std::span<char> rest) {
    const std::string_view part(rest.data(), rest.size());
    if (long_event_) {
        observe_long(part);
        return 0;
    }
    if (kept_.size() + part.size() > hold_limit_) {
        long_event_ = true;
        observe_long(kept_);
        kept_.clear();
        observe_long(part);
        scanned_ = 0;
        return 0;
    }
    if (mode_ == usage_events::strip) {
        scanned_ = part.size();
        return part.size();
    }
    kept_ += part;
    return 0;
}

/// Takes an event whose last bytes are `part`. Returns whether it is to be taken out.
bool stream_meter::take_event(std::string_view part, unsigned lines) {
    if (long_event_ || kept_.size() + part.size() > hold_limit_) {
        long_event_ = true;
        observe_long(kept_);
        observe_long(part);
        return false;
    }
    if (kept_.empty()) {
        return observe(part, lines) && mode_ == usage_events::strip;
    }
    kept_ += part;
    (void)observe(kept_, lines);
    return false;
}

/// Reads a whole event. Returns whether it carries nothing but usage.
/// \param lines  its number of lines, 0 when not known
bool stream_meter::observe(std::string_view event, unsigned lines) {
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    if (first_event_ && event.starts_with(byte_order_mark)) {
        event.remove_prefix(byte_order_mark.size());
    }
    const auto data = lines == 1 ? http::sse_line_data(event) : http::sse_data(event, scratch_);
    return data && observe_data(*data);
}

bool stream_meter::observe_data(std::string_view data) {
    data.remove_prefix(std::min(data.find_first_not_of(' '), data.size()));
    if (data.starts_with('[')) {
        done_ = done_ || data.starts_with("[DONE]");
        return false;
    }
    const chunk_facts facts = read_chunk(data);
    text_bytes_ += facts.text_bytes;
    details_bytes_ = std::max(details_bytes_, facts.details_bytes);
    message_bytes_ = std::max(message_bytes_, facts.message_bytes);
    finished_ = finished_ || facts.finished;
    if (facts.usage) {
        usage_ = facts.usage;
    }
    if (facts.error) {
        keep_error(data);
    } else {
        content_seen_ = content_seen_ || facts.content;
    }
    return facts.usage_only;
}

void stream_meter::keep_error(std::string_view json) {
    if (failed()) {
        return;
    }
    error_event_ = json;
    if (const auto fields = read_error_fields(json)) {
        error_message_ = base::cut_text(fields->message, max_error_text);
        error_code_ = fields->number ? std::to_string(*fields->number)
                                     : std::string(base::cut_text(fields->code, max_error_text));
    }
}

void stream_meter::observe_long(std::string_view part) {
    if (part.empty()) {
        return;
    }
    content_seen_ = true;
    text_bytes_ += part.size();
    long_usage_.feed(part);
    const char* const end = part.data() + part.size();
    for (const char* p = part.data(); (p = long_finish_.find(p, end)) != nullptr;) {
        finished_ = finished_ || *p == '"';
    }
}

void stream_meter::end_event() noexcept {
    if (const auto& found = long_usage_.usage()) {
        usage_ = found;
    }
    if (long_event_) {
        long_usage_.reset();
        long_finish_ = key_finder("\"finish_reason\"");
    }
    kept_.clear();
    scanned_ = 0;
    long_event_ = false;
    first_event_ = false;
}

}  // namespace concurred::upstream
