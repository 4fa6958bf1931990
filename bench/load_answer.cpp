#include "bench/load_answer.hpp"

#include <utility>

namespace concurred::bench {
namespace {

constexpr std::size_t kept_capacity = 4096;

bool contains(std::string_view text, std::string_view what) noexcept {
    return text.find(what) != std::string_view::npos;
}

/// Whether an event brings text of the answer; of the dialects that are spoken to clients.
bool has_content(std::string_view event) noexcept {
    return contains(event, "\"content\":\"") ? !contains(event, "\"content\":\"\"") : contains(event, "text_delta");
}

}  // namespace

void load_answer::begin() {
    parser_.reset();
    framer_ = {};
    order_.begin();
    input_.clear();
    partial_.clear();
    events_ = 0;
    any_byte_ = stream_ = head_seen_ = end_mark_ = error_event_ = surplus_ = false;
}

load_answer::state load_answer::feed(std::span<char> bytes, listener& to) {
    any_byte_ = any_byte_ || !bytes.empty();
    std::span<char> in = bytes;
    if (!input_.empty()) {
        input_.append(bytes.data(), bytes.size());
        in = input_;
    }
    std::size_t done = 0;
    while (done < in.size() && !parser_.finished()) {
        char* const at = in.data() + done;
        const auto progress = parser_.feed({at, in.size() - done}, at);
        if (!progress) {
            return state::malformed;
        }
        if (progress->head_complete && !std::exchange(head_seen_, true)) {
            stream_ = parser_.content_type().starts_with("text/event-stream");
        }
        if (stream_) {
            take({at, progress->produced}, to);
        }
        done += progress->consumed;
        if (progress->consumed == 0) {
            break;
        }
    }
    surplus_ = parser_.finished() && done < in.size();
    if (in.data() == bytes.data()) {
        input_.assign(in.data() + done, in.size() - done);
    } else {
        input_.erase(0, done);
    }
    return parser_.finished() ? state::complete : state::more;
}

load_answer::state load_answer::end_of_input() {
    return parser_.finish_at_eof() ? state::complete : state::more;
}

void load_answer::take(std::string_view payload, listener& to) {
    const char* p = payload.data();
    const char* const end = p + payload.size();
    while (p != end) {
        if (partial_.empty() && framer_.takes_line_feed(*p)) {
            ++p;
            continue;
        }
        const char* const behind = framer_.find_end(p, end);
        if (behind == nullptr) {
            partial_.append(p, end);
            return;
        }
        if (partial_.empty()) {
            event({p, static_cast<std::size_t>(behind - p)}, to);
        } else {
            partial_.append(p, behind);
            event(partial_, to);
            partial_.clear();
        }
        p = behind;
    }
}

void load_answer::event(std::string_view text, listener& to) {
    if (text.starts_with(':')) {
        return;
    }
    ++events_;
    if (contains(text, "data: [DONE]") || contains(text, "\"message_stop\"")) {
        end_mark_ = true;
        return;
    }
    const std::optional<token_stamp> stamp = find_stamp(text);
    if (stamp) {
        order_.saw(stamp->number);
        to.on_content(stamp);
    } else if (has_content(text)) {
        to.on_content(stamp);
    } else if (contains(text, "data: {\"error\"") || contains(text, "event: error")) {
        error_event_ = true;
    }
}

void load_answer::shrink() {
    if (partial_.capacity() > kept_capacity) {
        partial_ = {};
    }
    if (input_.capacity() > kept_capacity) {
        input_ = {};
    }
}

}  // namespace concurred::bench
