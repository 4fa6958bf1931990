#pragma once

#include "gateway/http/sse_frame.hpp"
#include "upstream/anthropic_counts.hpp"
#include "upstream/dialect.hpp"

#include <string>
#include <string_view>

namespace concurred::upstream {

/// Hands an answer of Anthropic's on to a client of Anthropic's, event by event and byte for byte, and reads its
/// figures.
class anthropic_passage final : public answer_translator {
public:
    /// @param metered false: the answer is no message and has no figures
    explicit anthropic_passage(bool metered) noexcept;

    void feed(std::string_view bytes, std::string& out) override;
    void finish(std::string& out) override;
    [[nodiscard]] base::result<std::string> whole(std::string_view body) override;

private:
    void take(std::string_view event);
    void take_usage(std::string_view usage, bool complete);

    bool metered_;
    http::sse_framer framer_;
    std::string held_;  // of an event whose end has not come
    std::string scratch_;
    anthropic_counts counts_;
};

}  // namespace concurred::upstream
