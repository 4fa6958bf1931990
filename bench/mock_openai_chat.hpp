#pragma once

#include "bench/mock_dialect.hpp"

#include <string>
#include <string_view>

namespace concurred::bench {

/// What everybody who speaks Chat Completions has in common. A flavour overrides what it does its own way.
class openai_chat_dialect : public mock_dialect {
public:
    [[nodiscard]] bool claims(std::string_view path) const noexcept override;
    [[nodiscard]] bool owns(const mock_request& request) const noexcept override;
    [[nodiscard]] mock_failure bad_key(std::string_view key) const override;
    [[nodiscard]] std::optional<std::string> document(const mock_request& request,
                                                      std::span<const std::string> models) const override;
    [[nodiscard]] mock_call read(const mock_request& request) const override;
    [[nodiscard]] bool ends_with_tool_result(std::string_view messages) const override;
    [[nodiscard]] std::string last_user_text(std::string_view messages) const override;
    [[nodiscard]] std::uint32_t tool_tokens(const mock_reply& reply) const override;
    [[nodiscard]] std::string fields(const mock_settings& settings) const override;
    [[nodiscard]] std::string error_body(const mock_settings& settings, std::string_view model) const override;
    [[nodiscard]] std::string error_event(std::string_view code) const override;
    [[nodiscard]] std::string failure_body(const mock_failure& failure) const override;

protected:
    ~openai_chat_dialect() = default;

    /// `stop`, `length` or `tool_calls`.
    [[nodiscard]] static std::string_view finish_reason(const mock_reply& reply) noexcept;
    /// The array of a plain answer's tool calls. \param prefix of their ids
    [[nodiscard]] static std::string tool_calls(const mock_reply& reply, std::string_view prefix);
    /// Cuts an event with an empty `"content":""` in two.
    static void cut_at_content(std::string_view event, mock_frames& frames);
};

/// Whether the path's first segment is `name`: how a flavour is chosen by its base URL.
[[nodiscard]] bool under_prefix(std::string_view path, std::string_view name) noexcept;

/// OpenAI's list of models.
[[nodiscard]] std::string openai_models(std::span<const std::string> models);

/// The header fields of OpenAI and those who follow it.
[[nodiscard]] std::string openai_fields(const mock_settings& settings);

}  // namespace concurred::bench
