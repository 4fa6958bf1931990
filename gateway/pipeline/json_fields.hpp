#pragma once

#include "gateway/http/exchange.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace concurred::pipeline {

/// Completes with the body of a request that must be JSON: declared as `application/json`, not encoded, not empty.
/// Valid as long as the exchange. Errors: unsupported_media_type, and those of reading.
[[nodiscard]] base::task<base::result<std::string_view>> read_json_body(http::exchange& x);

/// The members of the one JSON object that a management request consists of. What is not expected is an error: an
/// unknown field (a typing mistake, or an attempt to set what may not be set), a field given twice, a wrong type.
class json_fields {
public:
    /// @param body outlives the result. @param allowed the names there may be
    /// Errors: bad_request that says what is wrong, where, and what is allowed.
    [[nodiscard]] static base::result<json_fields> parse(std::string_view body,
                                                         std::span<const std::string_view> allowed) {
        return parse(body, allowed, {});
    }

    [[nodiscard]] bool has(std::string_view name) const noexcept { return find(name) != nullptr; }
    [[nodiscard]] bool empty() const noexcept { return members_.empty(); }

    /// A text without control characters, without the spaces around it. Nothing when the field is absent.
    /// @param least, most length in characters (code points). Errors: bad_request that names the field and the range.
    [[nodiscard]] base::result<std::optional<std::string>> text(std::string_view name, std::size_t least,
                                                                std::size_t most) const;
    /// The same for a field that must be there. Errors: also missing_required_field.
    [[nodiscard]] base::result<std::string> required_text(std::string_view name, std::size_t least,
                                                          std::size_t most) const;
    /// A whole number in a range.
    [[nodiscard]] base::result<std::optional<std::uint32_t>> number(std::string_view name, std::uint32_t least,
                                                                    std::uint32_t most) const;
    [[nodiscard]] base::result<std::optional<bool>> boolean(std::string_view name) const;
    /// A limit: a whole number from 1, or null for none, which is 0 here.
    [[nodiscard]] base::result<std::optional<std::uint32_t>> limit(std::string_view name, std::uint32_t most) const;
    /// The members of an object within the object, whose errors name "outer.inner". Of null: nothing in it.
    [[nodiscard]] base::result<std::optional<json_fields>> object(std::string_view name,
                                                                  std::span<const std::string_view> allowed) const;
    [[nodiscard]] bool is_null(std::string_view name) const noexcept { return raw(name) == "null"; }
    /// 400 that names a field and says what it must be.
    [[nodiscard]] base::error refuse(std::string_view name, std::string_view wanted) const;
    /// The value as it is written; empty when absent.
    [[nodiscard]] std::string_view raw(std::string_view name) const noexcept;

private:
    struct member {
        std::string name;
        std::string_view value;
    };
    [[nodiscard]] static base::result<json_fields> parse(std::string_view body,
                                                         std::span<const std::string_view> allowed, std::string within);
    [[nodiscard]] const member* find(std::string_view name) const noexcept;

    std::vector<member> members_;
    std::string within_;  // "outer." of an object within the object
};

/// 400 MISSING_REQUIRED_FIELD for a field of a body.
[[nodiscard]] base::error missing_field(std::string_view name);

}  // namespace concurred::pipeline
