#include "upstream/json_usage.hpp"

#include "gateway/http/byte_scan.hpp"
#include "upstream/usage_extract.hpp"

#include <algorithm>

namespace concurred::upstream {

void json_usage_scanner::feed(std::string_view chunk) {
    const char* p = chunk.data();
    const char* const end = p + chunk.size();
    while (p != end) {
        if (!capturing_) {
            p = key_.find(p, end);
            if (p == nullptr) {
                return;
            }
            if (*p != '{') {
                continue;  // null, most often
            }
            // Whole in this chunk, as nearly always: no need to look for its end first.
            std::size_t size = 0;
            const std::size_t most = std::min(max_object, static_cast<std::size_t>(end - p));
            const auto counts = parse_usage({p, most}, http::json_tail::ignored, &size);
            if (size != 0) {
                usage_ = counts ? counts : usage_;
                p += size;
                continue;
            }
            capturing_ = true;
        }
        p = capture(p, end);
    }
}

void json_usage_scanner::reset() noexcept {
    key_ = key_finder{"\"usage\""};
    usage_.reset();
    captured_.clear();
    capturing_ = false;
    depth_ = 0;
    in_string_ = false;
    escaped_ = false;
}

/// Takes the object that goes on at `p`; returns where the search goes on.
const char* json_usage_scanner::capture(const char* p, const char* end) {
    const std::size_t room = max_object - captured_.size();
    const char* const limit = p + std::min(room, static_cast<std::size_t>(end - p));
    const char* const behind = object_end(p, limit);
    if (behind == nullptr && limit == end) {
        captured_.append(p, end);
        if (captured_.size() < max_object) {
            return end;
        }
    } else if (behind != nullptr && captured_.empty()) {
        take({p, static_cast<std::size_t>(behind - p)});
    } else if (behind != nullptr) {
        captured_.append(p, behind);
        take(captured_);
    }
    // Read, or too long.
    captured_.clear();
    capturing_ = false;
    depth_ = 0;
    in_string_ = false;
    escaped_ = false;
    return behind != nullptr ? behind : limit;
}

/// Steps to the end of the object by its brackets and quotes alone, so that a cut needs only three values kept. Returns
/// nullptr when the end is not in the range.
const char* json_usage_scanner::object_end(const char* p, const char* end) noexcept {
    while (p != end) {
        if (escaped_) {
            escaped_ = false;
            ++p;
            continue;
        }
        p = http::find_byte<http::object_stop_bytes>(p, end);
        if (p == end) {
            break;
        }
        const char c = *p++;
        if (c == '"') {
            in_string_ = !in_string_;
        } else if (c == '\\') {
            escaped_ = in_string_;
        } else if (!in_string_) {
            depth_ = c == '{' ? depth_ + 1 : depth_ - 1;
            if (depth_ == 0) {
                return p;
            }
        }
    }
    return nullptr;
}

void json_usage_scanner::take(std::string_view object) noexcept {
    if (const auto counts = parse_usage(object)) {
        usage_ = counts;
    }
}

}  // namespace concurred::upstream
