#pragma once

#include "upstream/chat_request.hpp"

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace concurred::upstream {

/// A body as a list of pieces to be sent one after the other.
class spliced_body {
public:
    /// Eight cuts, model, stream_options, the limit's name and the effort split a body into thirteen pieces at most,
    /// with four insertions between them.
    static constexpr std::size_t capacity = 18;

    [[nodiscard]] std::span<const std::string_view> pieces() const noexcept { return {pieces_.data(), count_}; }
    /// Sum of the pieces' sizes, in bytes: the Content-Length.
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    /// Appends a piece; an empty one is left out.
    void add(std::string_view piece) noexcept;
    /// The pieces in one string.
    [[nodiscard]] std::string joined() const;

private:
    std::array<std::string_view, capacity> pieces_;
    std::size_t count_ = 0;
    std::size_t size_ = 0;
};

/// What one provider of OpenAI's own dialect wants said otherwise.
struct body_fixes {
    bool rename_max_tokens = false;  ///< `max_tokens` becomes `max_completion_tokens`
    bool no_reasoning = false;       ///< `"reasoning_effort":"none"` is added
};

/// Makes the upstream body out of the client's: the model replaced, the gateway's own members cut out, usage asked for.
/// Every other byte stays as it is; a body that needs no change is one piece.
/// \param body            the body that `request` was parsed from; must outlive the pieces
/// \param upstream_model  id the provider knows the model by; must outlive the pieces
/// \param ask_usage       make the provider send the usage event; only acts on streams
/// \param scratch         takes the model when it needs escapes; must outlive the pieces, and may be empty
[[nodiscard]] spliced_body splice_body(std::string_view body, const chat_request& request,
                                       std::string_view upstream_model, bool ask_usage, std::string& scratch,
                                       const body_fixes& fixes = {});

}  // namespace concurred::upstream
