#include "gateway/http/sse_frame.hpp"

#include "gateway/http/byte_scan.hpp"

namespace concurred::http {

namespace {

/// The value of a `data` line, without the one space that may follow the colon.
std::optional<std::string_view> data_of(std::string_view line) noexcept {
    if (!line.starts_with("data")) {
        return std::nullopt;
    }
    line.remove_prefix(4);
    if (line.empty()) {
        return line;  // a field without a colon has an empty value
    }
    if (line.front() != ':') {
        return std::nullopt;
    }
    line.remove_prefix(line.size() > 1 && line[1] == ' ' ? 2 : 1);
    return line;
}

}  // namespace

const char* sse_framer::find_end(const char* p, const char* end) noexcept {
    while (p != end) {
        if (after_cr_) {
            after_cr_ = false;
            if (*p == '\n') {
                ++p;
                continue;
            }
        }
        const char* const stop = line_end_bytes::has(*p) ? p : find_byte<line_end_bytes>(p, end);
        line_empty_ = line_empty_ && stop == p;
        if (stop == end) {
            return nullptr;
        }
        after_cr_ = *stop == '\r';
        p = stop + 1;
        if (line_empty_) {
            lines_ = current_lines_;
            current_lines_ = 0;
            return p;
        }
        ++current_lines_;
        line_empty_ = true;
    }
    return nullptr;
}

bool sse_framer::takes_line_feed(char next) noexcept {
    const bool taken = after_cr_ && next == '\n';
    after_cr_ = false;
    return taken;
}

std::optional<std::string_view> sse_data(std::string_view event, std::string& scratch) {
    std::optional<std::string_view> data;
    bool several = false;
    const char* p = event.data();
    const char* const end = p + event.size();
    while (p != end) {
        const char* const stop = find_byte<line_end_bytes>(p, end);
        if (const auto value = data_of({p, static_cast<std::size_t>(stop - p)})) {
            if (data && !several) {
                scratch = *data;
                several = true;
            }
            if (several) {
                scratch += '\n';
                scratch += *value;
            }
            data = several ? std::string_view(scratch) : *value;
        }
        p = stop == end ? end : stop + 1;  // the LF of a CRLF gives an empty line, which is no field
    }
    return data;
}

std::optional<std::string_view> sse_line_data(std::string_view event) noexcept {
    while (!event.empty() && line_end_bytes::has(event.back())) {
        event.remove_suffix(1);
    }
    return data_of(event);
}

}  // namespace concurred::http
