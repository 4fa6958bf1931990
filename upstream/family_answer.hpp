#pragma once

#include "upstream/dialect.hpp"
#include "upstream/family_calls.hpp"
#include "upstream/family_policy.hpp"
#include "upstream/sse_events.hpp"
#include "upstream/think_splitter.hpp"
#include "upstream/token_pattern.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace concurred::upstream {

/// Reads the answers of providers that follow OpenAI with quirks of their own, and says them as OpenAI would: the role
/// once, reasoning in `reasoning_content`, no empty deltas, a finish reason in a chunk of its own, usage at the end.
/// Fields that it does not know are copied.
class family_answer final : public answer_translator {
public:
    struct settings {
        const family_policy* policy = nullptr;  ///< outlives the answer
        std::string model;                      ///< for answers that do not name one
        bool include_usage = false;
    };

    explicit family_answer(settings s) : settings_(std::move(s)) {}

    void feed(std::string_view bytes, std::string& out) override;
    void finish(std::string& out) override;
    [[nodiscard]] base::result<std::string> whole(std::string_view body) override;

private:
    struct choice {
        bool begun = false;  // its role was said
        bool spoke = false;  // some content was said
        bool finished = false;
        family_calls calls;
        think_splitter thinking;
        std::string reasoning;      // MiniMax: all of it, to tell what is new
        std::string details_front;  // MiniMax: the members of its item besides the text
        bool reasoning_open = false;
    };

    /// A choice's delta or message.
    struct said {
        json_part role;
        json_part content;
        json_part reasoning;
        json_part reasoning_content;
        json_part details;
        json_part calls;
        std::string others;  // members that are copied, without braces
    };

    [[nodiscard]] const family_policy& policy() const noexcept { return *settings_.policy; }
    [[nodiscard]] bool event(std::string_view data, std::string& out);
    [[nodiscard]] bool take_head(std::string_view json, json_part& choices, json_part& usage);
    [[nodiscard]] bool is_known_shape(std::string_view data, std::string& out);
    void learn_shape(std::string_view data, std::string_view out);
    bool take_usage(const json_part& usage);
    void stream_choice(std::string_view json, std::string& out);
    void stream_delta(const said& d, choice& c, unsigned index, std::string& out, std::string_view logprobs);
    void stream_minimax(const said& d, choice& c, unsigned index, std::string& out);
    void finish_minimax(choice& c, unsigned index, std::string& out);
    void say_content(std::string_view text, choice& c, unsigned index, std::string& out);
    void think(std::string_view text, choice& c, unsigned index, std::string& out);
    void end_thinking(choice& c, unsigned index, std::string& out);
    void say(std::string_view member, std::string_view raw, unsigned index, std::string& out);
    void open(std::string& out, unsigned index) const;
    void close(std::string& out, std::string_view finish, std::string_view logprobs) const;
    void end_choice(choice& c, unsigned index, const json_part& reason, std::string& out);
    void append_message(std::string& out, const said& m, choice& c, unsigned index);
    void append_choice(std::string& out, std::string_view json);
    [[nodiscard]] std::string calls_id(unsigned index) const;
    [[nodiscard]] choice& choice_at(unsigned index);
    [[nodiscard]] bool all_finished() const noexcept;
    [[nodiscard]] static said read_said(std::string_view json, const family_policy& policy, bool first);

    settings settings_;
    sse_events events_;
    std::string id_;
    std::string head_;     // members of the current chunk besides choices and usage
    std::string compact_;  // the current event, when it came in several lines
    std::string figures_;  // the last usage, as it goes to the client
    std::vector<choice> choices_;
    bool ended_ = false;                   // `[DONE]` came
    std::array<token_pattern, 2> shapes_;  // of content and of reasoning alone
    json_part only_text_;                  // all that the current event says, when it is a text
    bool only_reasoning_ = false;          // that text is reasoning
};

}  // namespace concurred::upstream
