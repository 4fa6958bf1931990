#pragma once

#include "upstream/json_parts.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace concurred::upstream {

/// Keywords that Gemini knows and that are copied as they are.
inline constexpr std::array<std::string_view, 11> gemini_schema_keywords{
    "title",   "minItems",  "maxItems",  "minProperties",    "maxProperties", "maximum",
    "minimum", "minLength", "maxLength", "propertyOrdering", "pattern"};

/// One schema with what its references and `allOf` add to it.
struct gathered_schema {
    std::vector<std::string> types;
    bool nullable = false;
    std::string description;
    json_part format;
    json_part items;
    json_part prefix_items;
    json_part preset;  // default
    json_part example;
    json_part exclusive_minimum;
    json_part exclusive_maximum;
    std::vector<json_part> values;  // enum or const
    bool enumerated = false;
    std::vector<json_part> choices;  // anyOf or oneOf
    std::vector<std::pair<std::string, std::string_view>> properties;
    std::vector<std::string> required;
    std::array<json_part, gemini_schema_keywords.size()> plain;
};

/// Collects schemas of one document.
class schema_gatherer {
public:
    /// @param root the document that references name parts of; outlives this
    explicit schema_gatherer(std::string_view root) noexcept : root_(root) {}

    /// Adds what `schema` says.
    /// @return false: it refers to itself or to something that is not there
    [[nodiscard]] bool gather(std::string_view schema, gathered_schema& g);

    /// References that are being followed: one that comes again below its own schema is a circle.
    [[nodiscard]] std::size_t depth() const noexcept { return references_.size(); }
    void forget_below(std::size_t depth) { references_.resize(depth); }

private:
    bool gather_all(const json_part& list, gathered_schema& g);
    bool follow(const json_part& reference, gathered_schema& g);

    std::string_view root_;
    std::vector<std::string> references_;
};

}  // namespace concurred::upstream
