#pragma once

#include "gateway/base/error.hpp"
#include "upstream/json_parts.hpp"

#include <string>
#include <string_view>

namespace concurred::upstream {

/// Turns the parts of OpenAI messages into Anthropic content blocks.
class anthropic_parts {
public:
    /// Which parts a message may have.
    enum class allowed : std::uint8_t { text, text_and_image, all };

    /// Appends the blocks of a message's content, with the comma where it belongs. Text that consists of white space
    /// only is left out: Anthropic refuses it.
    /// @param where         path of the content for errors, e.g. "messages[2].content"
    /// @param cache_control of the message as a whole: goes to its last block; may be absent
    [[nodiscard]] base::result<void> append(std::string& blocks, json_part content, const std::string& where,
                                            allowed what, json_part cache_control = {});

    /// A part needs Anthropic's Files API, which is a beta.
    [[nodiscard]] bool uses_files() const noexcept { return uses_files_; }

private:
    [[nodiscard]] base::result<void> append_part(std::string& blocks, std::string_view part, const std::string& where,
                                                 allowed what, json_part cache_control);
    [[nodiscard]] base::result<void> append_image(std::string& blocks, std::string_view part, const std::string& where,
                                                  json_part cache_control);
    [[nodiscard]] base::result<void> append_file(std::string& blocks, std::string_view part, const std::string& where,
                                                 json_part cache_control);

    bool uses_files_ = false;
};

/// Appends a text block, unless the text is white space only. Returns whether it did.
bool append_text_block(std::string& blocks, json_part text, json_part cache_control);

/// Whether a JSON string, with its quotes, has nothing but white space in it.
[[nodiscard]] bool is_blank(json_part text);

}  // namespace concurred::upstream
