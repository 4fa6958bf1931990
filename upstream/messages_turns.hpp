#pragma once

#include "gateway/base/error.hpp"
#include "upstream/json_parts.hpp"

#include <string>
#include <string_view>

namespace concurred::upstream {

/// Turns Anthropic's `system` and `messages` into OpenAI's list: results of tools become messages of their own, before
/// what the user says beside them. Thoughts are left out: only who signed them can read them.
class messages_turns {
public:
    explicit messages_turns(bool cache_markers) noexcept : cache_markers_(cache_markers) {}

    [[nodiscard]] base::result<void> take_system(json_part system);
    [[nodiscard]] base::result<void> take(json_part messages);

    /// Insides of the array.
    [[nodiscard]] const std::string& list() const noexcept { return list_; }

private:
    [[nodiscard]] base::result<void> take_user(json_part content, const std::string& where);
    [[nodiscard]] base::result<void> take_assistant(json_part content, const std::string& where);
    [[nodiscard]] base::result<void> take_part(std::string& parts, std::string_view block, const std::string& where);
    [[nodiscard]] base::result<void> take_result(std::string_view block, std::string& images, const std::string& where);
    void append_text_part(std::string& parts, json_part text, json_part cache) const;

    bool cache_markers_;
    std::string list_;
};

}  // namespace concurred::upstream
