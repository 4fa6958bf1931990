#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace concurred::base {

/// Values of one label, each with a small number. Holds at most `limit` of them, and only such as a metrics page can
/// show (valid UTF-8, no control but the newline, at most 128 bytes): all others get number 0, which is "other". So the
/// number of series is bounded even if a caller passes on what a client wrote.
class label_set {
public:
    /// \param limit  values besides "other", at most 65535
    explicit label_set(std::size_t limit);

    /// The number of `text`; allocates only when the text is new.
    [[nodiscard]] std::uint16_t intern(std::string_view text);
    /// The text of a number that `intern` gave.
    [[nodiscard]] std::string_view text(std::uint16_t number) const noexcept { return texts_[number]; }
    /// Numbers given, 0 included.
    [[nodiscard]] std::size_t size() const noexcept { return texts_.size(); }

private:
    std::size_t limit_;
    std::vector<std::string> texts_;
    std::vector<std::uint16_t> slots_;  ///< open addressing over `texts_`; 0: free
};

/// Series by a packed key of label numbers, each with a small index that a vector of values is addressed with.
/// At most `limit` of them; keys beyond get index 0, whose key is 0: every label "other".
class series_index {
public:
    /// \param limit  series besides the first
    explicit series_index(std::size_t limit);

    /// The index of `key`; allocates only when the key is new.
    [[nodiscard]] std::size_t intern(std::uint64_t key);
    [[nodiscard]] std::uint64_t key(std::size_t index) const noexcept { return keys_[index]; }
    [[nodiscard]] std::size_t size() const noexcept { return keys_.size(); }

private:
    void grow();

    std::size_t limit_;
    std::vector<std::uint64_t> keys_;
    std::vector<std::uint32_t> slots_;  ///< open addressing over `keys_`; 0: free
};

}  // namespace concurred::base
