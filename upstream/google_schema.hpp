#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace concurred::upstream {

/// Rewrites a JSON Schema into the part of OpenAPI's that Gemini's `parameters` and `responseSchema` take; any other
/// keyword there is refused ("Unknown name"). References are replaced by what they name, `allOf` is merged, `oneOf`
/// becomes `anyOf`, `const` an `enum` of one, a type with null `nullable`; an enumeration that is not of texts goes
/// into the description; keywords without an equivalent are left out.
/// @param schema a valid JSON object
/// @return nothing when it cannot be written so: it refers to itself or to something that is not in it, or grows beyond
/// `max_gemini_schema`. Then Gemini's `parametersJsonSchema` and `responseJsonSchema` may take it as it is.
[[nodiscard]] std::optional<std::string> to_gemini_schema(std::string_view schema);

/// Longest schema that is made, in octets: nested references can multiply.
inline constexpr std::size_t max_gemini_schema = std::size_t{1} << 20U;

/// Whether the schema is an object without properties: then Gemini wants no `parameters` at all.
[[nodiscard]] bool has_no_properties(std::string_view schema);

}  // namespace concurred::upstream
