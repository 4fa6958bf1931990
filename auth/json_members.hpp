#pragma once

#include "gateway/http/json_scan.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace concurred::auth {

/// The members of one small JSON object, found by name: for the answers of services and the records of caches, which
/// are not believed until every field has been looked at. Views point into the text that was parsed.
class json_members {
public:
    /// @param text one JSON object, with nothing behind it
    /// @return nothing when it is not one, or when it has a name twice: nobody can tell which of the two others read
    [[nodiscard]] static std::optional<json_members> parse(std::string_view text);

    /// The member by that name; null when there is none. A member that is null counts as one that is not there.
    [[nodiscard]] const http::json_member* find(std::string_view name) const noexcept;

    // Nothing when it is not there or of another kind.
    [[nodiscard]] std::optional<std::string> text(std::string_view name) const;
    [[nodiscard]] std::optional<bool> boolean(std::string_view name) const noexcept;
    /// Whole numbers only; 60.0 and 6e1 are not.
    [[nodiscard]] std::optional<std::int64_t> integer(std::string_view name) const noexcept;
    [[nodiscard]] std::optional<json_members> object(std::string_view name) const;

    [[nodiscard]] const std::vector<http::json_member>& members() const noexcept { return members_; }

private:
    std::vector<http::json_member> members_;
};

/// The whole number that `value` is as JSON text; nothing for anything else.
[[nodiscard]] std::optional<std::int64_t> json_integer(std::string_view value) noexcept;

}  // namespace concurred::auth
