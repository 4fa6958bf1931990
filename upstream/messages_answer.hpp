#pragma once

#include "upstream/dialect.hpp"
#include "upstream/json_parts.hpp"
#include "upstream/sse_events.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace concurred::upstream {

/// Says an answer in OpenAI's dialect in Anthropic's words, for a client that speaks those. An answer of a third
/// dialect is first said in OpenAI's by that dialect's own translator.
class messages_answer final : public answer_translator {
public:
    /// @param model what the client is told when the provider does not say; outlives this
    /// @param inner of the provider's own dialect; null: it speaks OpenAI's
    messages_answer(std::string_view model, std::unique_ptr<answer_translator> inner);

    void feed(std::string_view bytes, std::string& out) override;
    void finish(std::string& out) override;
    [[nodiscard]] base::result<std::string> whole(std::string_view body) override;

private:
    enum class block_kind : std::uint8_t { none, text, thinking, tool };

    struct tool_block {
        std::uint64_t call = 0;   ///< its index in OpenAI's stream
        std::uint64_t block = 0;  ///< that of its content block
    };

    void take_chat(std::string_view bytes, std::string& out);
    bool take(std::string_view chunk, std::string& out);
    void take_delta(std::string_view delta, std::string& out);
    void take_details(json_part details, std::string& out);
    void take_calls(json_part calls, std::string& out);
    void take_call(std::string_view call, std::string& out);
    void take_usage(json_part usage);
    void begin(json_part id, json_part model, std::string& out);
    void open_block(block_kind kind, std::string_view content, std::string& out);
    void close_block(std::string& out);
    void put_delta(std::uint64_t block, std::string_view type, std::string_view name, std::string_view raw,
                   std::string& out);
    void put_text(block_kind kind, json_part text, std::string& out);
    void end_stream(std::string& out);
    void adopt_inner();

    std::string_view model_;
    std::unique_ptr<answer_translator> inner_;
    std::string inner_out_;
    sse_events events_;
    std::vector<tool_block> tools_;
    std::string stop_reason_;
    std::uint64_t blocks_ = 0;
    block_kind open_ = block_kind::none;
    bool begun_ = false;
};

}  // namespace concurred::upstream
