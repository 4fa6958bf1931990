#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace concurred::bench {

/// What the mock provider writes into the text of a token with the setting `stamp`: `@MICROSECONDS:NUMBER `.
struct token_stamp {
    std::int64_t sent_us = 0;  ///< CLOCK_MONOTONIC when the token was handed to the socket
    std::uint32_t number = 0;  ///< of the token in its answer, from 0
};

/// The first stamp in an event, whatever dialect it is in.
[[nodiscard]] std::optional<token_stamp> find_stamp(std::string_view event) noexcept;

/// Counts frames of one stream that are missing, twice there or out of place, from the numbers they carry.
class frame_order {
public:
    void begin() noexcept;
    void saw(std::uint32_t number);
    /// The stream ended in order. \param expected frames that were sent
    void end(std::uint32_t expected);

    [[nodiscard]] std::uint64_t lost() const noexcept { return missing_.size() + tail_; }
    [[nodiscard]] std::uint64_t duplicated() const noexcept { return duplicated_; }
    [[nodiscard]] std::uint64_t reordered() const noexcept { return reordered_; }

private:
    std::uint32_t next_ = 0;
    std::uint64_t duplicated_ = 0;
    std::uint64_t reordered_ = 0;
    std::uint32_t tail_ = 0;
    std::vector<std::uint32_t> missing_;  // numbers below next_ that did not come, in order
};

}  // namespace concurred::bench
