#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace concurred::http {

/// Finds the ends of the events in an event stream that comes in pieces, cut anywhere. Lines end with LF, CRLF or CR,
/// in any mixture (WHATWG HTML, 9.2.5); an event ends with the first blank line.
class sse_framer {
public:
    /// Goes on with the current event at `p`. Returns the place behind the end of its blank line, which begins the next
    /// event, or nullptr when [p, end) has no end: all of it belongs to the event, and the next call goes on behind it.
    /// An event ends at a CR without waiting for the LF that may follow: see `takes_line_feed`.
    [[nodiscard]] const char* find_end(const char* p, const char* end) noexcept;

    /// To be asked between two events: whether `next`, the first byte behind an event, is the LF of the CR that ended
    /// it and so still belongs to it. When so, the byte is used up.
    [[nodiscard]] bool takes_line_feed(char next) noexcept;

    /// Lines of the event that ended last, without the blank one.
    [[nodiscard]] unsigned lines() const noexcept { return lines_; }

private:
    unsigned lines_ = 0;
    unsigned current_lines_ = 0;
    bool line_empty_ = true;
    bool after_cr_ = false;
};

/// The data of one event, its `data` lines joined with LF; nothing when it has none (comments, other fields).
/// \param event    the event with its line ends
/// \param scratch  holds the data when there are several lines; otherwise the result points into `event`
[[nodiscard]] std::optional<std::string_view> sse_data(std::string_view event, std::string& scratch);

/// The same for an event that consists of one line and a blank one, without looking for line ends again.
[[nodiscard]] std::optional<std::string_view> sse_line_data(std::string_view event) noexcept;

}  // namespace concurred::http
