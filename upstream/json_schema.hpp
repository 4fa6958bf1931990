#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace concurred::upstream {

/// Holds a value against a JSON Schema (draft 2020-12): type, enum, const, properties, required, additionalProperties,
/// min/maxProperties, items, prefixItems, min/maxItems, minimum, maximum, their exclusive forms, min/maxLength, anyOf,
/// oneOf, allOf, not, and references inside the schema. Other keywords (pattern and format above all) are not looked
/// at.
/// @param schema, value valid JSON
/// @return what is wrong, e.g. "/location must be a string"; nothing: it fits
[[nodiscard]] std::optional<std::string> schema_violation(std::string_view schema, std::string_view value);

/// What makes a schema unusable, e.g. "properties must be an object"; nothing: it can be used.
[[nodiscard]] std::optional<std::string> schema_fault(std::string_view schema);

}  // namespace concurred::upstream
