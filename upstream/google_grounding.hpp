#pragma once

#include "upstream/json_parts.hpp"

#include <string>
#include <string_view>

namespace concurred::upstream {

/// The web pages that one of Gemini's answers rests on, as OpenAI's annotations. Only an answer to a request with a web
/// search has them.
class gemini_grounding {
public:
    /// Text that was put out, as the inside of a JSON string. Gemini counts its octets, OpenAI characters, so it is
    /// kept.
    void text(std::string_view inside);
    /// Takes a candidate's `groundingMetadata`; what came last counts.
    void take(const json_part& metadata);
    /// The annotations, with commas between; empty: none.
    [[nodiscard]] std::string annotations() const;

private:
    [[nodiscard]] std::size_t characters(const json_part& octets, std::size_t otherwise) const;
    void append(std::string& out, std::string_view chunk, const json_part& segment) const;

    std::string text_;
    std::string metadata_;
};

}  // namespace concurred::upstream
