#include "upstream/anthropic_json.hpp"

#include "upstream/anthropic_messages.hpp"
#include "upstream/anthropic_thinking.hpp"
#include "upstream/field_refusal.hpp"

namespace concurred::upstream {

using base::result;

std::uint64_t anthropic_ceiling(const anthropic_model& model, const translation_context& context) {
    return context.max_output_tokens != 0 ? context.max_output_tokens : model.max_output_tokens;
}

result<anthropic_json> anthropic_json_of(const anthropic_fields& fields, const anthropic_model& model, bool thinks) {
    const json_part type = member_of(fields.response_format.raw, "type");
    if (!fields.response_format || type.equals("text")) {
        return anthropic_json::none;
    }
    if (type.equals("json_object")) {
        return anthropic_json::object;
    }
    if (!type.equals("json_schema")) {
        return refuse_field("response_format.type", "must be 'text', 'json_object' or 'json_schema'.");
    }
    if (!member_of(member_of(fields.response_format.raw, "json_schema").raw, "schema").is_object()) {
        return refuse_field("response_format.json_schema.schema", "must be a JSON Schema, an object.");
    }
    if (model.structured_output) {
        return anthropic_json::format;
    }
    const bool tool = !thinks && model.forced_tools && (!fields.tools || fields.tools.raw == "[]");
    return tool ? anthropic_json::tool : anthropic_json::instruction;
}

std::string anthropic_tool_of_answer(const anthropic_fields& fields) {
    const std::string name = member_of(member_of(fields.response_format.raw, "json_schema").raw, "name").text();
    return name.empty() ? "answer" : anthropic_tool_id(name);
}

std::string anthropic_answer_tool(std::string_view body, const translation_context& context) {
    const anthropic_fields fields = read_anthropic_fields(body);
    if (!fields.response_format) {
        return {};
    }
    const anthropic_model& model = anthropic_model_of(context.upstream_model);
    const auto thinking = anthropic_thinking_of(fields, model, anthropic_ceiling(model, context));
    const auto json = anthropic_json_of(fields, model, thinking && thinking->thinks);
    return json && *json == anthropic_json::tool ? anthropic_tool_of_answer(fields) : std::string();
}

}  // namespace concurred::upstream
