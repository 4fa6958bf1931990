// What the bytes of a provider's answer mean for the relay: which kind of answer they are, and whether they are one.

#include "upstream/error_fields.hpp"
#include "upstream/provider_error.hpp"
#include "upstream/relay.hpp"
#include "upstream/whole_stream.hpp"

#include <algorithm>
#include <chrono>

namespace concurred::upstream {

namespace {

using base::errc;
using base::result;

constexpr unsigned head_status_ok = 200;

// Whether an answer that should be a stream, and does not say that it is one, is JSON: some servers forget the type of
// their streams. Its first character tells; nothing: it is not there yet.
std::optional<bool> is_json(std::string_view content_type, std::span<const char> payload) noexcept {
    if (content_type.find("json") != std::string_view::npos) {
        return true;
    }
    const std::string_view begin(payload.data(), payload.size());
    const std::size_t first = begin.find_first_not_of(" \t\r\n");
    return first == std::string_view::npos ? std::nullopt : std::optional(begin[first] == '{' || begin[first] == '[');
}

}  // namespace

void relay::decide() {
    const net::response_parser& head = call_.head();
    if (head.status() < 200 || head.status() > 299) {
        mode_ = mode::failure;
    } else if (head.content_type().starts_with("text/event-stream")) {
        mode_ = mode::events;
    } else if (head.content_type().starts_with("text/html")) {
        mode_ = mode::unusable;
    } else if (!params_.stream) {
        mode_ = mode::plain;
        call_.first_token_seen();
    } else if (const auto json = is_json(head.content_type(), call_.payload()); json || ended_) {
        mode_ = json.value_or(true) ? mode::collected : mode::events;
        if (mode_ == mode::collected) {
            call_.first_token_seen();
        }
    }
}

// Looks at what has come. Errors: what the provider sent is a failure, and it is complete.
result<void> relay::digest() {
    if (mode_ == mode::undecided && call_.head_complete()) {
        decide();
    }
    switch (mode_) {
        case mode::undecided:
            break;
        case mode::events:
            return digest_events();
        case mode::plain:
            return digest_whole();
        case mode::collected:
            return digest_collected();
        case mode::unusable:
            return unusable();
        case mode::failure:
            if (ended_ || call_.payload().size() > max_error_body) {
                return provider_failed();
            }
            break;
    }
    return {};
}

base::error relay::provider_failed() const {
    const net::response_parser& head = call_.head();
    const std::span<const char> body = call_.payload();
    return error_from_answer(
        {.status = head.status(),
         .body = {body.data(), std::min(body.size(), max_error_body)},
         .provider = provider_,
         .byok = params_.own != nullptr,
         .key_slug = params_.own != nullptr ? std::string_view(params_.own->slug) : std::string_view(),
         .key = params_.key,
         .retry_after = head.retry_after(),
         .retry_after_ms = head.retry_after_ms(),
         .should_retry = head.should_retry()},
        std::chrono::system_clock::now());
}

// An error in the place of an answer, or inside of one: what the provider's words mean.
base::error relay::failed_with(std::string_view body) const {
    return error_from_answer(
        {.status = head_status_ok,
         .body = body,
         .provider = provider_,
         .byok = params_.own != nullptr,
         .key_slug = params_.own != nullptr ? std::string_view(params_.own->slug) : std::string_view(),
         .key = params_.key},
        std::chrono::system_clock::now());
}

result<void> relay::digest_events() {
    const answer_reader::taken t = reader_.events(call_.payload(), ended_);
    if (!reader_.error_event().empty()) {
        if (!reader_.content_seen()) {
            return failed_with(reader_.error_event());  // nothing went out: it can still be a proper HTTP error
        }
        ended_ = ended_ || !reader_.passes_errors();  // nothing follows that could be told
    }
    if (ended_ && !reader_.content_seen() && !reader_.complete()) {
        return cut_short();
    }
    take(t);
    if (reader_.content_seen() && exchange_.times.first_token == base::steady_time()) {
        exchange_.times.first_token = std::chrono::steady_clock::now();
        call_.first_token_seen();
    }
    if (reader_.done()) {
        call_.expect_end();
    }
    return {};
}

result<void> relay::digest_whole() {
    const result<answer_reader::taken> t = reader_.whole(call_.payload(), ended_);
    if (!reader_.error_event().empty()) {
        return failed_with(reader_.error_event());
    }
    if (!t) {
        return t.error();
    }
    take(*t);
    return ended_ && !sent_ ? check_whole(output_) : result<void>();
}

// The answer is no stream and the client awaits one: it is said as one, once it is there.
result<void> relay::digest_collected() {
    const std::span<char> payload = call_.payload();
    if (payload.size() > translated_answer::max_whole) {
        return base::upstream_error(errc::upstream_error, "The provider's answer is longer than 64 MiB.");
    }
    if (!ended_) {
        return {};
    }
    const result<answer_reader::taken> t = reader_.whole(payload, true);
    if (!reader_.error_event().empty()) {
        return failed_with(reader_.error_event());
    }
    if (!t) {
        return t.error();
    }
    if (const result<void> ok = check_whole(t->output); !ok) {
        return ok;
    }
    result<std::string> stream = stream_of_whole(t->output, !params_.strip_usage);
    if (!stream) {
        return stream.error();
    }
    front_ = std::move(*stream);
    output_ = front_;
    call_.take(payload.size());
    return {};
}

// All of an answer that is no stream is there. Errors: it is no whole one, or an error that came as a success.
result<void> relay::check_whole(std::string_view answer) const {
    if (looks_cut(answer)) {
        return cut_short();
    }
    if (reader_.as_it_comes() && carries_error(answer)) {
        return failed_with(answer);
    }
    return {};
}

// It is no whole JSON object. Its ends tell nearly always, at no cost.
bool relay::looks_cut(std::string_view answer) const noexcept {
    if (call_.head().content_type().find("json") == std::string_view::npos) {
        return false;
    }
    const std::size_t first = answer.find_first_not_of(" \t\r\n");
    const std::size_t last = answer.find_last_not_of(" \t\r\n");
    return first == std::string_view::npos || answer[first] != '{' || answer[last] != '}';
}

}  // namespace concurred::upstream
