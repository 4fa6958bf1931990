#pragma once

#include "upstream/json_parts.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace concurred::upstream {

/// The tool calls of one choice on their way. Some hosted models give no index, or the same id twice, or none: what
/// goes on has the form of OpenAI's, with indexes from 0, and id, type and name in the first piece of each call.
class family_calls {
public:
    /// Appends the elements of a `tool_calls` array, without brackets.
    /// @param answer_id makes the ids that are missing: the same in every run
    /// @param with_index pieces of a stream have indexes, calls of a whole answer have not
    /// @return octets of names and arguments
    std::uint64_t append(std::string& out, const json_part& calls, std::string_view answer_id, bool with_index);

    [[nodiscard]] bool any() const noexcept { return !calls_.empty(); }

private:
    struct call {
        std::optional<std::uint64_t> upstream_index;
        std::string id;
    };

    [[nodiscard]] std::size_t find(const json_part& index, bool opens) const noexcept;
    [[nodiscard]] std::string new_id(const json_part& given, std::string_view answer_id) const;

    std::vector<call> calls_;
};

}  // namespace concurred::upstream
