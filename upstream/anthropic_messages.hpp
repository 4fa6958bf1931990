#pragma once

#include "upstream/anthropic_parts.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace concurred::upstream {

/// Turns OpenAI's list of messages into Anthropic's `system` and `messages`: system messages wherever they stand become
/// system blocks, consecutive messages of one side one turn, and the results of a turn's tool calls one user turn, in
/// the order of the calls and before its text.
class anthropic_messages {
public:
    /// @param messages the array, as it was checked
    [[nodiscard]] base::result<void> take(std::string_view messages);

    /// Insides of the arrays.
    [[nodiscard]] const std::string& system() const noexcept { return system_; }
    [[nodiscard]] const std::string& turns() const noexcept { return turns_; }
    /// Names of the functions that were called, without repetition.
    [[nodiscard]] const std::vector<std::string>& called() const noexcept { return called_; }
    [[nodiscard]] bool uses_files() const noexcept { return parts_.uses_files(); }
    /// The last turn of the assistant called tools and carries no signed thoughts: with thoughts of a fixed budget
    /// Anthropic refuses to go on from it.
    [[nodiscard]] bool continues_without_thoughts() const noexcept { return in_tool_loop_ && !last_thought_; }

private:
    enum class side { none, user, assistant };

    struct tool_result {
        std::size_t order;
        std::string block;
    };

    [[nodiscard]] base::result<void> take_message(std::string_view message, const std::string& where);
    [[nodiscard]] base::result<void> take_assistant(std::string_view message, json_part content,
                                                    const std::string& where, json_part cache_control);
    [[nodiscard]] base::result<void> take_tool_calls(json_part calls, const std::string& where);
    [[nodiscard]] base::result<void> take_call(std::string_view call, const std::string& where);
    [[nodiscard]] base::result<void> take_tool_result(std::string_view message, json_part content,
                                                      const std::string& where, json_part cache_control);
    void take_thoughts(json_part details);
    void begin(side of);
    void end_turn();
    void trim_prefill();

    anthropic_parts parts_;
    std::string system_;
    std::string turns_;
    std::string blocks_;  // of the current turn
    std::vector<tool_result> results_;
    std::vector<std::string> call_ids_;  // of the assistant's last turn
    std::vector<std::string> called_;
    side side_ = side::none;
    bool in_tool_loop_ = false;
    bool last_thought_ = false;
};

/// The id of a tool call as Anthropic takes it: letters, digits, '_' and '-'. Another one becomes always the same id
/// made from its hash.
[[nodiscard]] std::string anthropic_tool_id(std::string_view id);

}  // namespace concurred::upstream
