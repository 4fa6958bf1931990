#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace concurred::http {

/// Deepest nesting of objects and arrays that is accepted, the outermost one included.
inline constexpr unsigned max_json_depth = 64;

enum class json_kind : std::uint8_t { null, boolean, number, string, array, object };

/// Where and why a text is not the JSON that was asked for. `reason` is static text.
struct json_error {
    std::size_t offset = 0;
    const char* reason = "";
};

/// One member of an object or one element of an array. All views point into the scanned text.
struct json_member {
    std::string_view key;    ///< as written, without the quotes; empty for an element
    std::string_view value;  ///< as written, a string with its quotes
    std::size_t begin = 0;   ///< offset of the key's opening quote; of the value for an element
    std::size_t end = 0;     ///< offset behind the value
    json_kind kind = json_kind::null;
    bool key_escaped = false;    ///< the key contains a backslash escape
    bool value_escaped = false;  ///< the value is a string with a backslash escape
};

/// What may stand behind the value.
enum class json_tail : std::uint8_t {
    space,    ///< white space only
    ignored,  ///< anything: it is not looked at
};

/// Reads the members of one object, or the elements of one array, in one pass over a contiguous text, and checks the
/// whole text on the way: strict RFC 8259, strings in valid UTF-8, no lone surrogate escapes, no byte order mark.
/// Linear in the size of the text, no recursion, no allocation. Duplicate names are reported as they come.
class json_reader {
public:
    /// \param text       must outlive the reader and every view it gives
    /// \param max_depth  1 ... max_json_depth levels, the object or array itself included
    explicit json_reader(std::string_view text, json_tail tail = json_tail::space,
                         unsigned max_depth = max_json_depth) noexcept;

    /// The next member, checked to its end; valid until the next call. nullptr at the end of the text and at an error:
    /// only `ok()` after a nullptr says that the text is valid.
    [[nodiscard]] const json_member* next() noexcept;

    /// Whether no error was found so far.
    [[nodiscard]] bool ok() const noexcept { return reason_ == nullptr; }
    /// The error, when not `ok()`.
    [[nodiscard]] json_error error() const noexcept;
    /// Offset behind the last byte that was used: behind the closing bracket, once `next()` has returned nullptr.
    [[nodiscard]] std::size_t position() const noexcept { return static_cast<std::size_t>(p_ - begin_); }

private:
    const json_member* fail(const char* at, const char* reason) noexcept;
    const json_member* finish() noexcept;

    enum class stage : std::uint8_t { before, inside, ended };

    const char* begin_;
    const char* end_;
    const char* p_;
    const char* reason_ = nullptr;
    unsigned max_depth_;
    stage stage_ = stage::before;
    json_tail tail_;
    bool object_ = false;
    json_member member_;
};

/// Checks that `text` is one JSON value of any kind, with the rules of `json_reader`. Returns nothing when it is.
[[nodiscard]] std::optional<json_error> check_json(std::string_view text, unsigned max_depth = max_json_depth) noexcept;

/// Whether `text` is one valid JSON object.
[[nodiscard]] bool is_json_object(std::string_view text) noexcept;

/// "line 3, column 14: expected ',' or '}'". Lines end at LF; columns count characters from 1.
[[nodiscard]] std::string describe(std::string_view text, const json_error& error);

}  // namespace concurred::http
