#include "bench/mock_script.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <utility>

namespace concurred::bench {
namespace {

using action = mock_step::action;

std::uint32_t size_of(const std::vector<mock_template>& events) noexcept {
    return static_cast<std::uint32_t>(events.size());
}

void append_chunk(std::string& out, std::string_view payload) {
    std::array<char, 16> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), payload.size(), 16).ptr;
    out.append(digits.data(), end).append("\r\n").append(payload).append("\r\n");
}

/// A token's text when tokens say when they were written: `@`, microseconds of the monotonic clock, `:`, the token's
/// number from 0, a space.
void append_time(std::string& out, base::steady_time now, std::uint32_t number) {
    out.append("@").append(std::to_string(base::micros(now))).append(":").append(std::to_string(number)).append(" ");
}

}  // namespace

void mock_script::begin(mock_answer_lease answer, const mock_stamp& stamp, base::steady_time now) {
    answer_ = std::move(answer);
    stamp_ = stamp;
    start_ = now;
    event_ = tokens_ = 0;
    head_sent_ = due_ = false;
    const mock_settings& s = *answer_->settings;
    const std::uint32_t scripted = answer_->stream ? answer_->scripted_tokens.back() : 0;
    paced_ = answer_->stream ? scripted + answer_->pieces : answer_->tokens;
    total_ = size_of(answer_->opening) + size_of(answer_->scripted) + answer_->pieces + size_of(answer_->closing);
    pace_.begin(s.gap, s.spread, answer_->trace, stamp.number());
    stop_at_ = std::min({s.reset_after, s.close_after, s.stall_after, s.error_frame, s.bad_chunk});
}

base::steady_time mock_script::due(std::uint32_t event) noexcept {
    const std::uint32_t opening = size_of(answer_->opening);
    const std::uint32_t scripted = opening + size_of(answer_->scripted);
    const std::uint32_t last = paced_ == 0 ? 0 : paced_ - 1;
    const std::uint32_t position = event < opening    ? 0
                                   : event < scripted ? answer_->scripted_tokens[event - opening]
                                                      : answer_->scripted_tokens.back() + (event - scripted);
    return start_ + answer_->settings->first + pace_.offset(std::min(position, last));
}

mock_step mock_script::next(base::steady_time now, std::string& out) {
    const mock_settings& s = *answer_->settings;
    if (s.hang) {
        return {action::stall};
    }
    if (!due_) {
        const base::steady_time at = start_ + s.first + pace_.offset(answer_->stream || paced_ == 0 ? 0 : paced_ - 1);
        if (at > now) {
            if (s.early_head && answer_->stream && !head_sent_) {
                mock_step step = send_head(out);
                return step.byte_gap.count() > 0 ? step : mock_step{action::wait, at};
            }
            return {action::wait, at};
        }
        due_ = true;
        if (const auto broken = severed(); broken && stop_at_ == 0) {
            return {*broken};
        }
    }
    if (!head_sent_) {
        const mock_step step = send_head(out);
        if (step.byte_gap.count() > 0) {
            return step;
        }
    }
    return answer_->stream ? next_events(now, out) : next_plain(out);
}

mock_step mock_script::send_head(std::string& out) {
    head_sent_ = true;
    const std::size_t before = out.size();
    answer_->head.append_to(out, stamp_);
    const auto size = static_cast<std::int64_t>(std::max<std::size_t>(out.size() - before, 1));
    return {action::more, {}, answer_->settings->slow_head / size};
}

mock_step mock_script::next_plain(std::string& out) {
    const std::size_t body_at = out.size();
    answer_->body.append_to(out, stamp_);
    if (const auto broken = severed()) {
        out.resize(body_at + (out.size() - body_at) / 2);
        return {*broken};
    }
    tokens_ = answer_->tokens;
    out.append(answer_->extra);
    return {ending()};
}

mock_step mock_script::next_events(base::steady_time now, std::string& out) {
    const mock_settings& s = *answer_->settings;
    if (event_ == stop_at_) {
        return fault(out);
    }
    const std::uint32_t count = std::min({s.group, total_ - event_, stop_at_ - event_});
    if (count > 0 && !pace_.immediate()) {
        const base::steady_time at = due(event_ + count - 1);
        if (at > now) {
            return {action::wait, at};
        }
    }
    payload_.clear();
    for (std::uint32_t i = 0; i < count; ++i) {
        append_event(event_++, now);
    }
    // The end mark is one event more; with room in the group it shares the last write.
    const bool end = event_ == total_ && event_ != stop_at_ && count < s.group;
    if (end) {
        answer_->end_mark.append_to(payload_, stamp_);
    }
    append_framed(out);
    if (!end) {
        return {action::more};
    }
    append_end(out);
    return {ending()};
}

/// How the connection is broken off at `stop_at_`, if that is what happens there.
std::optional<mock_step::action> mock_script::severed() const noexcept {
    const mock_settings& s = *answer_->settings;
    if (stop_at_ == mock_settings::never) {
        return std::nullopt;
    }
    return stop_at_ == s.reset_after   ? std::optional(action::reset)
           : stop_at_ == s.close_after ? std::optional(action::cut)
           : stop_at_ == s.stall_after ? std::optional(action::stall)
                                       : std::nullopt;
}

mock_step mock_script::fault(std::string& out) {
    if (const auto broken = severed()) {
        return {*broken};
    }
    if (stop_at_ == answer_->settings->bad_chunk) {
        out.append("zz\r\ndata: {\"not\":\"a chunk\"}\n\n\r\n");
        return {action::cut};
    }
    payload_.clear();
    answer_->error_event.append_to(payload_, stamp_);
    append_framed(out);
    append_end(out);
    return {ending()};
}

mock_step::action mock_script::ending() const noexcept {
    return answer_->short_body ? action::cut : answer_->close ? action::close : action::keep;
}

void mock_script::append_event(std::uint32_t event, base::steady_time now) {
    const std::uint32_t opening = size_of(answer_->opening);
    const std::uint32_t scripted = opening + size_of(answer_->scripted);
    if (event < opening) {
        answer_->opening[event].append_to(payload_, stamp_);
    } else if (event < scripted) {
        answer_->scripted[event - opening].append_to(payload_, stamp_);
        tokens_ += answer_->scripted_tokens[event - opening + 1] - answer_->scripted_tokens[event - opening];
    } else if (event < scripted + answer_->pieces) {
        const std::uint32_t piece = event - scripted;
        stamp_.set_counts(answer_->count_from + piece + 1, answer_->total_from + piece + 1);
        answer_->before_piece.append_to(payload_, stamp_);
        if (answer_->settings->stamp) {
            append_time(payload_, now, piece);
        } else {
            payload_.append(answer_->piece(piece));
        }
        answer_->after_piece.append_to(payload_, stamp_);
        ++tokens_;
    } else {
        answer_->closing[event - scripted - answer_->pieces].append_to(payload_, stamp_);
    }
}

/// Appends `payload_` as the framing of the answer has it.
void mock_script::append_framed(std::string& out) {
    if (answer_->framing != mock_framing::chunked) {
        out.append(payload_);
        return;
    }
    const std::size_t size = answer_->settings->frame == 0 ? payload_.size() : answer_->settings->frame;
    for (std::size_t at = 0; at < payload_.size(); at += size) {
        append_chunk(out, std::string_view(payload_).substr(at, size));
    }
}

void mock_script::append_end(std::string& out) {
    out.append(answer_->framing == mock_framing::chunked ? "0\r\n\r\n" : "").append(answer_->extra);
}

}  // namespace concurred::bench
