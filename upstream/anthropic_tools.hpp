#pragma once

#include "gateway/base/error.hpp"
#include "upstream/anthropic_model.hpp"
#include "upstream/json_parts.hpp"

#include <string>
#include <vector>

namespace concurred::upstream {

/// `tools`, `tool_choice` and `parallel_tool_calls` in Anthropic's words.
class anthropic_tools {
public:
    /// @param thinks  the answer will be thought about, with which Anthropic takes no forced choice
    /// @param dropped takes the names of what could not be said
    anthropic_tools(const anthropic_model& model, bool thinks, std::vector<std::string>& dropped)
        : model_(model), thinks_(thinks), dropped_(dropped) {}

    [[nodiscard]] base::result<void> take(json_part tools, json_part choice, json_part parallel);

    /// Tools of earlier turns: Anthropic wants them declared when none are given now.
    void declare(const std::vector<std::string>& names);
    /// A tool whose input is the answer, for models that have no structured output.
    void force_answer(const std::string& name, std::string_view schema);
    /// A tool that Anthropic runs.
    void add_server_tool(const std::string& json) { server_tools_ += (server_tools_.empty() ? "" : ",") + json; }

    /// The insides of `tools`; empty: none.
    [[nodiscard]] std::string list() const;
    /// The object of `tool_choice`; empty: none.
    [[nodiscard]] std::string choice() const;

private:
    struct tool {
        std::string name;
        std::string json;
    };

    [[nodiscard]] base::result<void> take_tool(std::string_view given, const std::string& where);
    [[nodiscard]] base::result<void> take_choice(json_part choice);
    [[nodiscard]] base::result<void> take_named(json_part name, const std::string& where);
    [[nodiscard]] base::result<void> take_allowed(std::string_view allowed);
    void force(std::string kind);

    const anthropic_model& model_;
    bool thinks_;
    std::vector<std::string>& dropped_;
    std::vector<tool> tools_;
    std::string server_tools_;
    std::string kind_;  // auto, any, tool, none; empty: not said
    std::string name_;
    bool one_call_ = false;
};

}  // namespace concurred::upstream
