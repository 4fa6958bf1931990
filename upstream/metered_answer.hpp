#pragma once

#include "upstream/answer_reader.hpp"
#include "upstream/json_usage.hpp"
#include "upstream/stream_meter.hpp"

namespace concurred::upstream {

/// An answer in OpenAI's dialect for a client of OpenAI's: its bytes go on as they came.
class metered_answer final : public answer_reader {
public:
    explicit metered_answer(usage_events mode) noexcept : meter_(mode) {}

    [[nodiscard]] taken events(std::span<char> payload, bool ended) override;
    [[nodiscard]] base::result<taken> whole(std::span<char> payload, bool ended) override;

    [[nodiscard]] bool as_it_comes() const noexcept override { return true; }
    [[nodiscard]] bool content_seen() const noexcept override { return meter_.content_seen(); }
    [[nodiscard]] bool done() const noexcept override { return meter_.done(); }
    [[nodiscard]] bool complete() const noexcept override { return meter_.done() || meter_.finished(); }
    [[nodiscard]] bool inside_event() const noexcept override { return broken_event_ || meter_.inside_event(); }
    [[nodiscard]] std::string_view error_event() const noexcept override { return meter_.error_event(); }
    [[nodiscard]] bool passes_errors() const noexcept override { return !meter_.too_long(); }
    [[nodiscard]] const std::optional<base::token_counts>& usage() const noexcept override {
        return stream_ ? meter_.usage() : scanner_.usage();
    }
    [[nodiscard]] std::uint64_t output_octets() const noexcept override {
        return stream_ ? meter_.output_bytes() : plain_octets_;
    }

private:
    stream_meter meter_;
    json_usage_scanner scanner_;
    std::uint64_t plain_octets_ = 0;
    bool stream_ = false;
    bool broken_event_ = false;  // the stream ended inside an event
};

}  // namespace concurred::upstream
