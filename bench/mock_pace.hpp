#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace concurred::bench {

/// A recorded answer's times: from the request to the first token, then from each token to the next.
struct mock_trace {
    std::chrono::microseconds first{0};
    std::vector<std::chrono::microseconds> gaps;  ///< played again from the beginning when they are used up
};

/// Traces by the names that settings use.
using mock_traces = std::map<std::string, mock_trace, std::less<>>;

/// Reads a recording: one time per line, of the first token and then of each further one, counted from the request;
/// `12.5ms`, `300us`, without unit milliseconds. Empty lines and lines that begin with `#` are skipped.
/// \param trace filled \returns what is wrong with the text, or an empty text
[[nodiscard]] std::string read_mock_trace(std::string_view text, mock_trace& trace);

/// When the tokens of one answer are due: constant gaps, log-normal ones, or those of a recording. Deadlines count from
/// the beginning, so delays do not add up. Times of one answer differ from those of the next, and can be repeated.
class mock_pace {
public:
    /// \param gap constant, or the median \param spread hundredths of the deviation of the logarithm; 0: constant
    /// \param trace null: none; outlives the pace \param seed the request's number
    void begin(std::chrono::microseconds gap, std::uint32_t spread, const mock_trace* trace,
               std::uint64_t seed) noexcept;

    /// Time from the beginning to token `position`. Positions never go down.
    [[nodiscard]] std::chrono::microseconds offset(std::uint64_t position) noexcept;

    /// Whether every token is due at once.
    [[nodiscard]] bool immediate() const noexcept { return gap_.count() == 0 && trace_ == nullptr; }

private:
    [[nodiscard]] std::chrono::microseconds gap_before(std::uint64_t position) const noexcept;

    std::chrono::microseconds gap_{0};
    double deviation_ = 0;
    const mock_trace* trace_ = nullptr;
    std::uint64_t seed_ = 0;
    std::uint64_t position_ = 0;
    std::chrono::microseconds offset_{0};
};

}  // namespace concurred::bench
