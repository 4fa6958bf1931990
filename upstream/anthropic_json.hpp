#pragma once

#include "gateway/base/error.hpp"
#include "upstream/anthropic_fields.hpp"
#include "upstream/anthropic_model.hpp"
#include "upstream/dialect.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace concurred::upstream {

/// How an answer in JSON is asked for.
enum class anthropic_json : std::uint8_t {
    none,
    object,       ///< any object: an instruction
    format,       ///< output_config.format
    tool,         ///< a tool whose input is the answer
    instruction,  ///< the schema in an instruction
};

/// Decides by `response_format`. Errors: it is none of OpenAI's.
[[nodiscard]] base::result<anthropic_json> anthropic_json_of(const anthropic_fields& fields,
                                                             const anthropic_model& model, bool thinks);

/// What the tool is called whose input is the answer.
[[nodiscard]] std::string anthropic_tool_of_answer(const anthropic_fields& fields);

/// The name of that tool if the answer to a request comes as its input; empty: the answer is what the model says.
[[nodiscard]] std::string anthropic_answer_tool(std::string_view body, const translation_context& context);

/// Most tokens that the model puts out.
[[nodiscard]] std::uint64_t anthropic_ceiling(const anthropic_model& model, const translation_context& context);

}  // namespace concurred::upstream
