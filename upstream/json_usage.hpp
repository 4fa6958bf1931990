#pragma once

#include "gateway/base/usage_record.hpp"
#include "upstream/key_finder.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace concurred::upstream {

/// Finds the usage figures in a JSON answer that passes by in chunks, cut anywhere, without holding or changing a byte.
/// The last `"usage"` object with valid figures counts. Any cut of the bytes gives the same result. It does not check
/// the answer around the object: what passes through is the provider's word.
class json_usage_scanner {
public:
    /// Longest usage object that is read, in bytes; a longer one is ignored.
    static constexpr std::size_t max_object = 4096;

    /// Looks at the next bytes of the answer. Copies only when a usage object is cut by the end of a chunk.
    void feed(std::string_view chunk);

    /// What was found so far. Complete once the whole answer was fed.
    [[nodiscard]] const std::optional<base::token_counts>& usage() const noexcept { return usage_; }

    /// Forgets everything, for the next answer.
    void reset() noexcept;

private:
    const char* capture(const char* p, const char* end);
    const char* object_end(const char* p, const char* end) noexcept;
    void take(std::string_view object) noexcept;

    key_finder key_{"\"usage\""};
    std::optional<base::token_counts> usage_;
    std::string captured_;  ///< begin of an object whose end has not come yet
    bool capturing_ = false;
    // Where object_end stands:
    unsigned depth_ = 0;
    bool in_string_ = false;
    bool escaped_ = false;
};

}  // namespace concurred::upstream
