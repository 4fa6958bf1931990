#include "upstream/anthropic_passage.hpp"

#include "upstream/json_parts.hpp"
#include "upstream/sse_events.hpp"

namespace concurred::upstream {

namespace {

constexpr std::string_view too_long =
    R"({"type":"error","error":{"type":"api_error","message":"The provider sent an event that is too long."}})";

}  // namespace

anthropic_passage::anthropic_passage(bool metered) noexcept : metered_(metered) {
    if (!metered) {
        usage_ = base::token_counts{};
    }
}

void anthropic_passage::feed(std::string_view bytes, std::string& out) {
    const char* p = bytes.data();
    const char* const end = p + bytes.size();
    while (p != end && error_event_.empty()) {
        if (held_.empty() && framer_.takes_line_feed(*p)) {
            out += *p++;
            continue;
        }
        const char* const stop = framer_.find_end(p, end);
        const std::string_view part(p, static_cast<std::size_t>((stop == nullptr ? end : stop) - p));
        if (stop == nullptr || !held_.empty()) {
            if (held_.size() + part.size() > sse_events::max_event) {
                error_event_ = too_long;
                return;
            }
            held_ += part;
        }
        if (stop == nullptr) {
            return;
        }
        const std::string_view event = held_.empty() ? part : std::string_view(held_);
        take(event);
        if (error_event_.empty()) {
            out += event;
        }
        held_.clear();
        p = stop;
    }
}

void anthropic_passage::finish(std::string& out) {
    if (!held_.empty() && error_event_.empty()) {
        take(held_);
        if (done_ && error_event_.empty()) {
            out += held_;
        }
        held_.clear();
    }
}

void anthropic_passage::take(std::string_view event) {
    const auto data = http::sse_data(event, scratch_);
    if (!data) {
        return;
    }
    json_part type;
    json_part message;
    json_part delta;
    json_part usage;
    read_members(*data, {{"type", &type}, {"message", &message}, {"delta", &delta}, {"usage", &usage}});
    if (type.raw == R"("content_block_delta")") {
        content_seen_ = true;
        output_octets_ += delta.raw.size();
    } else if (type.raw == R"("content_block_start")") {
        content_seen_ = true;
    } else if (type.raw == R"("message_start")") {
        take_usage(member_of(message.raw, "usage").raw, false);
    } else if (type.raw == R"("message_delta")") {
        content_seen_ = true;
        take_usage(usage.raw, true);
    } else if (type.raw == R"("message_stop")") {
        content_seen_ = done_ = true;
    } else if (type.raw == R"("error")") {
        error_event_ = *data;
    }
}

void anthropic_passage::take_usage(std::string_view usage, bool complete) {
    if (usage.empty()) {
        return;
    }
    counts_.take(usage);
    long_cache_writes_ = counts_.long_cache_writes();
    if (complete) {
        usage_ = counts_.counts();
    } else {
        input_usage_ = counts_.counts();
        input_usage_->completion = input_usage_->reasoning = 0;
    }
}

base::result<std::string> anthropic_passage::whole(std::string_view body) {
    json_part type;
    json_part usage;
    if (!read_members(json_part(body).raw, {{"type", &type}, {"usage", &usage}})) {
        return base::upstream_error(base::errc::upstream_error, "The provider's answer is no JSON object.");
    }
    if (type.equals("error")) {
        error_event_ = body;
    }
    if (metered_) {
        take_usage(usage.raw, true);
    }
    output_octets_ = body.size();
    done_ = content_seen_ = true;
    return std::string(body);
}

}  // namespace concurred::upstream
