#pragma once

#include "upstream/dialect.hpp"

#include <string_view>

namespace concurred::upstream {

/// What requests in a dialect have in common, besides their bodies.
struct spoken_dialect {
    /// Null: OpenAI's own form, which goes through as it is.
    const dialect* translation = nullptr;
    std::string_view key_field = "Authorization: Bearer ";  ///< what stands before the key, to the end of the line
    std::string_view fixed_fields = "";                     ///< complete lines of every request
    bool spoken = true;                                     ///< false: this version cannot talk to such a provider
};

/// The dialect of a provider by its name. A provider that is not known speaks OpenAI's.
[[nodiscard]] const spoken_dialect& dialect_of(std::string_view provider) noexcept;

}  // namespace concurred::upstream
