#pragma once

#include "upstream/json_parts.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace concurred::upstream {

/// Collects the web pages that a block of text cites, as OpenAI's annotations.
class anthropic_citations {
public:
    /// @param citation an entry of `citations`; only those with a URL have a place in OpenAI's form
    void take(json_part citation);
    /// Text that was put out, as the inside of a JSON string.
    void text(std::string_view inside) noexcept;
    /// The block is at its end: appends the annotations of what was cited in it to `out`, with commas.
    void end_block(std::string& out);

private:
    std::vector<std::string> pending_;  // url and title of each, as members
    std::size_t begin_ = 0;             // of the block in the answer's text, in characters
    std::size_t end_ = 0;
};

}  // namespace concurred::upstream
