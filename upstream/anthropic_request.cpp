#include "upstream/anthropic_request.hpp"

#include "crypto/digest.hpp"
#include "crypto/encoding.hpp"
#include "upstream/anthropic_fields.hpp"
#include "upstream/anthropic_json.hpp"
#include "upstream/anthropic_messages.hpp"
#include "upstream/anthropic_model.hpp"
#include "upstream/anthropic_schema.hpp"
#include "upstream/anthropic_thinking.hpp"
#include "upstream/anthropic_tools.hpp"
#include "upstream/field_refusal.hpp"
#include "upstream/json_writer.hpp"

#include <charconv>

namespace concurred::upstream {

namespace {

using base::result;

constexpr std::string_view json_instruction = "Answer with one JSON object and nothing else.";
constexpr std::string_view schema_instruction =
    "Answer with JSON and nothing else. It must be valid against this JSON Schema: ";
constexpr std::string_view files_beta = "anthropic-beta: files-api-2025-04-14\r\n";

// An address of a person is not Anthropic's business.
std::string user_id(const std::string& user) {
    if (user.find('@') == std::string::npos) {
        return user;
    }
    const crypto::digest256 hash = crypto::sha256_hasher()(user);
    return crypto::hex_encode({reinterpret_cast<const char*>(hash.data()), hash.size()});
}

bool asks_for_audio(json_part modalities) {
    http::json_reader list(modalities.raw);
    while (const http::json_member* m = list.next()) {
        if (json_part(*m).equals("audio")) {
            return true;
        }
    }
    return false;
}

// What Anthropic cannot do at all, and what would be missed.
result<void> refuse_impossible(const anthropic_fields& f) {
    if (f.n && f.n.integer() != 1) {
        return refuse_field("n", "must be 1: models of Anthropic give one answer.");
    }
    if (f.logprobs.is_true() || f.top_logprobs.count() != 0) {
        return refuse_field(f.logprobs.is_true() ? "logprobs" : "top_logprobs",
                            "cannot be had from models of Anthropic.");
    }
    if (asks_for_audio(f.modalities)) {
        return refuse_field("modalities", "must be [\"text\"]: models of Anthropic put out no audio.");
    }
    if (f.functions) {
        return refuse_field("functions", "is deprecated: send 'tools'.");
    }
    if (f.function_call) {
        return refuse_field("function_call", "is deprecated: send 'tool_choice'.");
    }
    return {};
}

class anthropic_writer {
public:
    anthropic_writer(std::string_view body, const translation_context& context)
        : context_(context), fields_(read_anthropic_fields(body)), model_(anthropic_model_of(context.upstream_model)) {}

    result<translated_request> run() {
        if (auto ok = refuse_impossible(fields_); !ok) {
            return ok.error();
        }
        if (auto ok = messages_.take(fields_.messages.raw); !ok) {
            return ok.error();
        }
        if (auto ok = decide_thinking(); !ok) {
            return ok.error();
        }
        out_.body.reserve(fields_.messages.raw.size() + fields_.tools.raw.size() + 512);
        json_writer w(out_.body);
        w.open('{').text_member("model", context_.upstream_model).number_member("max_tokens", thinking_.max_tokens);
        if (auto ok = write_tools_and_format(w); !ok) {
            return ok.error();
        }
        if (auto ok = write_stop(w); !ok) {
            return ok.error();
        }
        if (!system_.empty()) {
            w.key("system").open('[').raw(system_).close(']');
        }
        w.key("messages").open('[').raw(messages_.turns()).close(']');
        write_sampling(w);
        write_rest(w);
        w.close('}');
        out_.path = "/v1/messages";
        if (messages_.uses_files()) {
            out_.extra_headers = files_beta;
        }
        out_.dropped = std::move(fields_.dropped);
        return std::move(out_);
    }

private:
    void drop(std::string_view name) { fields_.dropped.emplace_back(name); }

    result<void> decide_thinking() {
        result<anthropic_thinking> t = anthropic_thinking_of(fields_, model_, anthropic_ceiling(model_, context_));
        if (!t) {
            return t.error();
        }
        if (t->thinking.find("budget_tokens") != std::string::npos && messages_.continues_without_thoughts()) {
            drop(fields_.thinking ? "thinking" : "reasoning_effort");
            fields_.thinking = fields_.reasoning_effort = json_part();
            t = anthropic_thinking_of(fields_, model_, anthropic_ceiling(model_, context_));
            if (!t) {
                return t.error();
            }
        } else if (fields_.reasoning_effort && !fields_.reasoning_effort.equals("none") && t->thinking.empty()) {
            drop("reasoning_effort");
        }
        thinking_ = std::move(*t);
        return {};
    }

    result<void> write_tools_and_format(json_writer& w) {
        const result<anthropic_json> json = anthropic_json_of(fields_, model_, thinking_.thinks);
        if (!json) {
            return json.error();
        }
        anthropic_tools tools(model_, thinking_.thinks, fields_.dropped);
        if (auto ok = tools.take(fields_.tools, fields_.tool_choice, fields_.parallel_tool_calls); !ok) {
            return ok;
        }
        tools.declare(messages_.called());
        const json_part schema = member_of(member_of(fields_.response_format.raw, "json_schema").raw, "schema");
        system_ = messages_.system();
        switch (*json) {
            case anthropic_json::object:
                instruct(std::string(json_instruction));
                break;
            case anthropic_json::instruction:
                instruct(std::string(schema_instruction) + std::string(schema.raw));
                break;
            case anthropic_json::tool:
                tools.force_answer(anthropic_tool_of_answer(fields_), schema.raw);
                break;
            case anthropic_json::none:
            case anthropic_json::format:
                break;
        }
        if (fields_.web_search_options) {
            tools.add_server_tool(web_search());
        }
        write_output_config(w, *json == anthropic_json::format ? schema.raw : std::string_view());
        if (const std::string list = tools.list(); !list.empty()) {
            w.key("tools").open('[').raw(list).close(']');
        }
        if (const std::string choice = tools.choice(); !choice.empty()) {
            w.member("tool_choice", choice);
        }
        return {};
    }

    void instruct(const std::string& text) {
        json_writer(system_).open('{').text_member("type", "text").text_member("text", text).close('}');
    }

    void write_output_config(json_writer& w, std::string_view schema) {
        if (schema.empty() && thinking_.effort.empty()) {
            return;
        }
        w.key("output_config").open('{');
        if (!thinking_.effort.empty()) {
            w.text_member("effort", thinking_.effort);
        }
        if (!schema.empty()) {
            w.key("format").open('{').text_member("type", "json_schema").key("schema");
            append_anthropic_schema(w.out(), schema);
            w.close('}');
        }
        w.close('}');
    }

    [[nodiscard]] std::string web_search() const {
        std::string out;
        json_writer w(out);
        w.open('{').text_member("type", "web_search_20250305").text_member("name", "web_search");
        const json_part location = member_of(fields_.web_search_options.raw, "user_location");
        const json_part place = member_of(location.raw, "approximate");
        if (place.is_object()) {
            w.key("user_location").open('{').text_member("type", "approximate");
            for (const std::string_view name : {"city", "region", "country", "timezone"}) {
                if (const json_part value = member_of(place.raw, name); value.is_string()) {
                    w.member(name, value.raw);
                }
            }
            w.close('}');
        }
        w.close('}');
        return out;
    }

    result<void> write_stop(json_writer& w) const {
        if (!fields_.stop) {
            return {};
        }
        std::string list;
        json_writer entries(list);
        if (fields_.stop.is_string()) {
            if (!is_blank(fields_.stop)) {
                entries.raw(fields_.stop.raw);
            }
        } else {
            http::json_reader texts(fields_.stop.raw);
            while (const http::json_member* m = texts.next()) {
                if (m->kind != http::json_kind::string) {
                    return refuse_field("stop", "must be a string or an array of strings.");
                }
                if (!is_blank(json_part(*m))) {
                    entries.raw(m->value);
                }
            }
            if (!fields_.stop.is_array()) {
                return refuse_field("stop", "must be a string or an array of strings.");
            }
        }
        if (!list.empty()) {
            w.key("stop_sequences").open('[').raw(list).close(']');
        }
        return {};
    }

    void write_sampling(json_writer& w) {
        const bool refused = thinking_.thinks || model_.sampling == sampling_rule::refused;
        double temperature = 1;
        if (fields_.temperature) {
            const std::string_view t = fields_.temperature.raw;
            std::from_chars(t.data(), t.data() + t.size(), temperature);
        }
        const bool has_temperature = fields_.temperature && (!refused || temperature != 1);
        if (has_temperature && refused) {
            drop("temperature");
        } else if (has_temperature) {
            w.member("temperature", temperature > 1 ? "1" : fields_.temperature.raw);  // OpenAI's goes up to 2
        }
        if (fields_.top_p && (refused || (has_temperature && model_.sampling == sampling_rule::one_of))) {
            drop("top_p");
        } else if (fields_.top_p) {
            w.member("top_p", fields_.top_p.raw);
        }
        if (fields_.top_k && refused) {
            drop("top_k");
        } else if (fields_.top_k) {
            w.member("top_k", fields_.top_k.raw);
        }
    }

    void write_rest(json_writer& w) {
        if (!thinking_.thinking.empty()) {
            w.member("thinking", thinking_.thinking);
        }
        const json_part user = fields_.safety_identifier ? fields_.safety_identifier : fields_.user;
        if (user.is_string() && !user.is_empty_string()) {
            w.key("metadata").open('{').text_member("user_id", user_id(user.text())).close('}');
        }
        if (fields_.service_tier.equals("auto")) {
            w.text_member("service_tier", "auto");
        } else if (fields_.service_tier.equals("default")) {
            w.text_member("service_tier", "standard_only");
        } else if (fields_.service_tier) {
            drop("service_tier");
        }
        if (fields_.cache_control) {
            w.member("cache_control", fields_.cache_control.raw);
        }
        if (context_.stream) {
            w.member("stream", "true");
        }
    }

    const translation_context& context_;
    anthropic_fields fields_;
    const anthropic_model& model_;
    anthropic_messages messages_;
    anthropic_thinking thinking_;
    std::string system_;
    translated_request out_;
};

}  // namespace

result<translated_request> to_anthropic(std::string_view body, const translation_context& context) {
    return anthropic_writer(body, context).run();
}

}  // namespace concurred::upstream
