#include "bench/mock_request.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace concurred::bench {
namespace {

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

/// \param b in lower case
bool same(std::string_view a, std::string_view b) noexcept {
    return a.size() == b.size() &&
           std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == y; });
}

std::string_view trimmed(std::string_view text) noexcept {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
        text.remove_prefix(1);
    }
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
        text.remove_suffix(1);
    }
    return text;
}

bool number_in(std::string_view text, int base, std::size_t& value) noexcept {
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    return failure == std::errc{} && !text.empty() && end == text.data() + text.size();
}

}  // namespace

void mock_request_reader::next() noexcept {
    request_ = {};
    decoded_.clear();
    head_size_ = scanned_ = length_ = chunk_at_ = consumed_ = wanted_ = 0;
    status_ = 0;
    has_length_ = chunked_ = expects_ = trailer_ = false;
}

bool mock_request_reader::continue_wanted() noexcept {
    return head_size_ != 0 && std::exchange(expects_, false);
}

mock_request_reader::state mock_request_reader::refuse(unsigned status) noexcept {
    status_ = status_ == 0 ? status : status_;
    return state::bad;
}

mock_request_reader::state mock_request_reader::advance(std::string_view input) {
    bool fresh = false;
    if (head_size_ == 0) {
        const auto end = input.find("\r\n\r\n", scanned_);
        if (end == std::string_view::npos) {
            scanned_ = input.size() < 3 ? 0 : input.size() - 3;
            wanted_ = 0;
            return input.size() > head_limit ? refuse(431) : state::more;
        }
        if (!read_head(input.substr(0, end + 4)) || (chunked_ && has_length_)) {
            return refuse(400);
        }
        if (length_ > body_limit) {
            return refuse(413);
        }
        head_size_ = chunk_at_ = end + 4;
        fresh = true;
    }
    if (chunked_) {
        const state read = read_chunks(input);
        if (read != state::complete) {
            return read;
        }
    } else if (input.size() < head_size_ + length_) {
        wanted_ = head_size_ + length_ - input.size();
        return state::more;
    } else {
        consumed_ = head_size_ + length_;
    }
    // The bytes may have moved since the head was read.
    if (!fresh && !read_head(input.substr(0, head_size_))) {
        return refuse(400);
    }
    request_.body = chunked_ ? std::string_view(decoded_) : input.substr(head_size_, length_);
    return state::complete;
}

bool mock_request_reader::read_head(std::string_view head) {
    request_ = {};
    has_length_ = chunked_ = false;
    request_.head = head;
    const auto line_end = head.find("\r\n");
    const std::string_view line = head.substr(0, line_end);
    const auto first = line.find(' ');
    const auto last = line.rfind(' ');
    if (first == std::string_view::npos || first == 0 || last <= first + 1) {
        return false;
    }
    const std::string_view version = line.substr(last + 1);
    request_.method = line.substr(0, first);
    request_.target = line.substr(first + 1, last - first - 1);
    request_.path = request_.target.substr(0, request_.target.find('?'));
    request_.query = request_.target.substr(std::min(request_.path.size() + 1, request_.target.size()));
    request_.http_1_0 = version == "HTTP/1.0";
    request_.keep_alive = !request_.http_1_0;
    if (version != "HTTP/1.1" && !request_.http_1_0) {
        status_ = 505;
        return false;
    }
    std::string_view fields = head.substr(line_end + 2);
    while (fields.size() > 2) {
        const auto end = fields.find("\r\n");
        const auto colon = fields.find(':');
        if (colon == 0 || colon >= end || fields[colon - 1] == ' ' ||
            !read_field(fields.substr(0, colon), trimmed(fields.substr(colon + 1, end - colon - 1)))) {
            return false;
        }
        fields.remove_prefix(end + 2);
    }
    return true;
}

bool mock_request_reader::read_field(std::string_view name, std::string_view value) {
    switch (name.size()) {
        case 6:
            request_.spec = same(name, "x-mock") ? value : request_.spec;
            // Asked once, although the head may be read twice.
            expects_ = expects_ || (head_size_ == 0 && same(name, "expect") && same(value, "100-continue"));
            return true;
        case 9:
            request_.api_key = same(name, "x-api-key") ? value : request_.api_key;
            return true;
        case 10:
            if (same(name, "connection")) {
                request_.keep_alive = same(value, "close")        ? false
                                      : same(value, "keep-alive") ? true
                                                                  : request_.keep_alive;
            }
            return true;
        case 13:
            if (same(name, "authorization") && value.size() > 7 && same(value.substr(0, 7), "bearer ")) {
                request_.key = trimmed(value.substr(7));
            }
            return true;
        case 14:
            if (same(name, "content-length")) {
                const bool again = std::exchange(has_length_, true);
                return !again && number_in(value, 10, length_);
            }
            request_.goog_key = same(name, "x-goog-api-key") ? value : request_.goog_key;
            return true;
        case 17:
            if (same(name, "transfer-encoding")) {
                const bool again = std::exchange(chunked_, true);
                status_ = same(value, "chunked") ? status_ : 501;
                return !again && same(value, "chunked");
            }
            request_.version = same(name, "anthropic-version") ? value : request_.version;
            return true;
        default:
            return true;
    }
}

mock_request_reader::state mock_request_reader::read_chunks(std::string_view input) {
    wanted_ = 0;
    for (;;) {
        const auto line_end = input.find("\r\n", chunk_at_);
        if (line_end == std::string_view::npos) {
            return input.size() - chunk_at_ > head_limit ? refuse(400) : state::more;
        }
        const std::string_view line = input.substr(chunk_at_, line_end - chunk_at_);
        if (trailer_) {
            chunk_at_ = line_end + 2;
            if (line.empty()) {
                consumed_ = chunk_at_;
                return state::complete;
            }
            continue;
        }
        std::size_t size = 0;
        if (!number_in(line.substr(0, line.find(';')), 16, size)) {
            return refuse(400);
        }
        if (size > body_limit || decoded_.size() + size > body_limit) {
            return refuse(413);
        }
        if (size == 0) {
            trailer_ = true;
            chunk_at_ = line_end + 2;
            continue;
        }
        const std::size_t data = line_end + 2;
        if (input.size() < data + size + 2) {
            wanted_ = data + size + 2 - input.size();
            return state::more;
        }
        if (input.substr(data + size, 2) != "\r\n") {
            return refuse(400);
        }
        decoded_.append(input.substr(data, size));
        chunk_at_ = data + size + 2;
    }
}

}  // namespace concurred::bench
