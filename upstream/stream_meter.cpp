#include "upstream/stream_meter.hpp"

#include "gateway/base/json_text.hpp"
#include "upstream/chunk_facts.hpp"
#include "upstream/error_fields.hpp"

#include <algorithm>
#include <cstring>

namespace concurred::upstream {

namespace {

constexpr std::string_view too_long_event =
    R"({"error":{"message":"The provider sent an event that is too long.","type":"server_error"}})";

}  // namespace

stream_meter::stream_meter(usage_events mode, std::size_t hold_limit) noexcept : mode_(mode), hold_limit_(hold_limit) {}

stream_meter::split stream_meter::feed(std::span<char> bytes) {
    if (too_long_) {
        return {};
    }
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
        if (scanned_ == 0 && !long_event_ && framer_.takes_line_feed(base[at])) {
            if (!last_dropped_) {
                keep(at + 1);
            }
            ++at;
            continue;
        }
        const char* const found = framer_.find_end(base + at + scanned_, base + size);
        const std::size_t end = found == nullptr ? size : static_cast<std::size_t>(found - base);
        const std::string_view part(base + at, end - at);
        if (long_event_ || part.size() > hold_limit_) {
            const std::size_t room = std::min(part.size(), max_event - long_size_);
            keep(at + room);
            if (room != part.size()) {
                too_long_ = true;
                error_event_ = too_long_event;
                return {out, 0};
            }
            take_long(part);
        } else if (found == nullptr) {
            scanned_ = part.size();
            return {out, scanned_};
        } else {
            last_dropped_ = observe(part, framer_.lines()) && mode_ == usage_events::strip;
            if (!last_dropped_) {
                keep(end);
            }
        }
        scanned_ = 0;
        at = end;
        if (found != nullptr) {
            content_seen_ = content_seen_ || long_event_;
            end_event();
        }
    }
    return {out, 0};
}

stream_meter::split stream_meter::finish(std::span<char> held) {
    const bool dropped = !held.empty() && observe({held.data(), held.size()}, 0) && mode_ == usage_events::strip;
    end_event();
    return {dropped ? 0 : held.size(), 0};
}

std::uint64_t stream_meter::output_bytes() const noexcept {
    return std::max(text_bytes_ + details_bytes_, message_bytes_);
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

void stream_meter::take_long(std::string_view part) {
    long_event_ = true;
    last_dropped_ = false;
    long_size_ += part.size();
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
    long_size_ = 0;
    scanned_ = 0;
    long_event_ = false;
    first_event_ = false;
}

}  // namespace concurred::upstream
