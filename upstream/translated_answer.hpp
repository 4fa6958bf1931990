#pragma once

#include "upstream/answer_reader.hpp"
#include "upstream/dialect.hpp"

#include <memory>
#include <string>

namespace concurred::upstream {

/// An answer in another dialect than the client's. Its translation goes on: a stream's as it comes, that of a whole
/// answer once it is all there.
class translated_answer final : public answer_reader {
public:
    /// Longest answer that is no stream, in octets.
    static constexpr std::size_t max_whole = std::size_t{64} * 1024 * 1024;

    explicit translated_answer(std::unique_ptr<answer_translator> translator) noexcept
        : translator_(std::move(translator)) {}

    [[nodiscard]] taken events(std::span<char> payload, bool ended) override;
    [[nodiscard]] base::result<taken> whole(std::span<char> payload, bool ended) override;

    [[nodiscard]] bool as_it_comes() const noexcept override { return false; }
    [[nodiscard]] bool content_seen() const noexcept override { return translator_->content_seen(); }
    [[nodiscard]] bool done() const noexcept override { return translator_->done(); }
    [[nodiscard]] bool complete() const noexcept override { return translator_->done(); }
    [[nodiscard]] bool inside_event() const noexcept override { return false; }
    [[nodiscard]] std::string_view error_event() const noexcept override { return translator_->error_event(); }
    [[nodiscard]] bool passes_errors() const noexcept override { return false; }
    [[nodiscard]] const std::optional<base::token_counts>& usage() const noexcept override {
        return translator_->usage();
    }
    [[nodiscard]] std::uint64_t long_cache_writes() const noexcept override { return translator_->long_cache_writes(); }
    [[nodiscard]] std::optional<base::token_counts> input_usage() const noexcept override {
        return translator_->input_usage();
    }
    [[nodiscard]] std::optional<std::int64_t> cost_nano_usd() const noexcept override {
        return translator_->cost_nano_usd();
    }
    [[nodiscard]] std::uint64_t output_octets() const noexcept override { return translator_->output_octets(); }

private:
    std::unique_ptr<answer_translator> translator_;
    std::string output_;  // keeps its capacity: a stream's pieces are of about one size
};

}  // namespace concurred::upstream
