#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace concurred::upstream {

/// Finds the value of a key in JSON that comes in chunks, cut anywhere. It looks for the key in its quotes followed by
/// a colon: inside a JSON string every quote is escaped, so text can never look like this, only a key can, at any
/// depth.
class key_finder {
public:
    /// \param quoted  the key with its quotes and without escapes, at least one character; must outlive this
    explicit key_finder(std::string_view quoted) noexcept : quoted_(quoted) {}

    /// The first byte of the next value of the key in [p, end), or nullptr when the chunk has none. What a chunk leaves
    /// unfinished goes on with the next one. Continue at the returned place, or behind the value.
    [[nodiscard]] const char* find(const char* p, const char* end) noexcept;

private:
    enum class stage : std::uint8_t { key, colon, value };

    std::string_view quoted_;
    std::size_t matched_ = 0;  ///< bytes of the key seen so far
    stage stage_ = stage::key;
};

}  // namespace concurred::upstream
