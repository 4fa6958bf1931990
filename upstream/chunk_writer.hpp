#pragma once

#include "gateway/base/usage_record.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace concurred::upstream {

/// Appends OpenAI's `usage` object for counts in disjoint classes.
/// @param cache_writes say also that none were written
void append_usage(std::string& out, const base::token_counts& counts, bool cache_writes = false);

/// Writes the chunks of one chat completion stream: what all of them begin with is made once.
class chunk_writer {
public:
    /// @param include_usage chunks carry `"usage":null`, as OpenAI's do when the client asked for the usage chunk
    void begin(std::string_view id, std::int64_t created, std::string_view model, bool include_usage);
    /// `begin` was called.
    [[nodiscard]] bool begun() const noexcept { return !head_.empty(); }

    /// A chunk up to the inside of its choice's delta, to which members can be written.
    void open(std::string& out, unsigned choice) const;
    /// The rest of such a chunk.
    /// @param finish_reason empty: null
    /// @param logprobs      JSON; empty: null
    void close(std::string& out, std::string_view finish_reason = {}, std::string_view logprobs = {}) const;
    /// The chunk with the figures, if the client asked for them, and `[DONE]`.
    void end(std::string& out, const base::token_counts* usage, bool cache_writes = false) const;

private:
    std::string head_;
    bool include_usage_ = false;
};

}  // namespace concurred::upstream
