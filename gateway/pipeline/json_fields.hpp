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
                                                         std::span<const std::string_view> allowed);

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
    /// The value as it is written; empty when absent.
    [[nodiscard]] std::string_view raw(std::string_view name) const noexcept;

private:
    struct member {
        std::string name;
        std::string_view value;
    };
    [[nodiscard]] const member* find(std::string_view name) const noexcept;

    std::vector<member> members_;
};

/// 400 MISSING_REQUIRED_FIELD for a field of a body.
[[nodiscard]] base::error missing_field(std::string_view name);

}  // namespace concurred::pipeline
