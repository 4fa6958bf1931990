#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace concurred::upstream {

/// The shape of a stream's events that differ in nothing but a piece of text, and of what they become. Nearly all
/// events of a stream are of one shape: for those the text is found and copied, and nothing is parsed.
class token_pattern {
public:
    /// What an event of the shape holds.
    struct found {
        std::string_view text;  ///< as it is escaped, without its quotes
        std::string_view hole;  ///< the object that may differ too, with its braces
    };

    /// Remembers that an event became `out`.
    /// @param text, hole  inside of `event`, in this order; `hole` may be empty: then everything but the text is the
    /// same
    /// @param out_text    inside of `out`: where the same text stands
    void learn(std::string_view event, std::string_view text, std::string_view hole, std::string_view out,
               std::string_view out_text);
    void forget() noexcept { known_ = false; }

    /// Whether the event has the shape. Its text is checked to be a JSON string, the object to be one.
    [[nodiscard]] bool match(std::string_view event, found& f) const noexcept;
    /// Appends what an event with this text becomes.
    void append(std::string& out, std::string_view text) const;

private:
    bool known_ = false;
    bool has_hole_ = false;
    std::string front_;   // to behind the quote that opens the text
    std::string middle_;  // from the quote that closes it, to the object or the end
    std::string back_;    // behind the object
    std::string out_front_;
    std::string out_back_;
};

}  // namespace concurred::upstream
