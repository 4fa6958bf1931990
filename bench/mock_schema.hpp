#pragma once

#include <boost/json/value.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace concurred::bench {

/// Where in a document something is: names of members and indexes of elements.
using mock_path = std::vector<std::variant<std::string, std::size_t>>;

/// `messages.0.content`
[[nodiscard]] std::string dotted(const mock_path& path);
/// `messages[0].content`
[[nodiscard]] std::string bracketed(const mock_path& path);

/// How a document differs from a schema.
struct mock_mismatch {
    enum class kind : std::uint8_t {
        unknown,  ///< the member at the end of `path` is not known there
        missing,  ///< the member at the end of `path` is required
        type,     ///< another type of JSON value is needed
        value,    ///< a text that is not one of `allowed`
        tag,      ///< the same, and the text says what kind of object it stands in
        low,      ///< less than `limit`: a number, or a length
        high,     ///< more than `limit`
    };
    kind what = kind::type;
    mock_path path{};
    std::vector<std::string> allowed{};  ///< texts, or types in the notation's words
    std::string got{};                   ///< the text, the number or the length, or the type of JSON value
    double limit = 0;
    bool counted = false;  ///< `limit` is of a length
};

/// Types of JSON documents in a notation of its own, so that a provider's published schema can be read at a glance:
///
///     Name = type                      a definition; types may be named before they are defined
///     { name: type, other?: type }     an object with these members and no others; `?` if it may be missing
///     { name: type, ... }              the same, other members are free
///     { *: type }                      an object with members of any name
///     [type]  [type](1..4)             an array; with so many elements
///     string(1..64) number(0..2) integer(1..) boolean null object any "text"
///     type | type                      either
class mock_schema {
public:
    /// \param text definitions; a mistake in them is thrown as std::logic_error
    explicit mock_schema(std::string_view text);

    /// The first difference of `value` from the type `name`, if there is any.
    [[nodiscard]] std::optional<mock_mismatch> check(const boost::json::value& value, std::string_view name) const;

    struct field {
        std::string name;
        std::size_t type;
        bool required;
    };
    enum class form : std::uint8_t {
        any,
        string,
        number,
        integer,
        boolean,
        null,
        object,
        literal,
        array,
        record,
        map,
        reference,
        either
    };
    struct node {
        form is = form::any;
        std::string text{};                ///< of a literal or a reference
        std::vector<std::size_t> parts{};  ///< element, member or alternatives
        std::vector<field> fields{};
        bool open = false;
        double low = 0;
        double high = -1;  ///< less than `low`: no limits
    };

private:
    using found = std::optional<mock_mismatch>;

    [[nodiscard]] const node& resolved(std::size_t type) const;
    void flatten(std::size_t type, std::vector<std::size_t>& into) const;
    [[nodiscard]] found visit(const boost::json::value& value, std::size_t type, mock_path& path) const;
    [[nodiscard]] found visit_record(const boost::json::object& object, const node& type, mock_path& path) const;
    [[nodiscard]] found visit_either(const boost::json::value& value, std::size_t type, mock_path& path) const;
    [[nodiscard]] found choose_record(const boost::json::object& object, const std::vector<std::size_t>& records,
                                      mock_path& path) const;
    [[nodiscard]] std::vector<std::string> literals(std::size_t type) const;

    std::vector<node> nodes_;
    std::map<std::string, std::size_t, std::less<>> names_;
};

}  // namespace concurred::bench
