#include "upstream/messages_request.hpp"

#include "gateway/http/json_string.hpp"
#include "upstream/field_refusal.hpp"
#include "upstream/json_parts.hpp"
#include "upstream/json_writer.hpp"
#include "upstream/messages_turns.hpp"

#include <algorithm>

namespace concurred::upstream {

namespace {

using base::result;

// Up to these budgets of thoughts an effort is called low and medium.
constexpr std::uint64_t low_budget = 2'048;
constexpr std::uint64_t medium_budget = 8'192;

/// The fields of a Messages request that a chat completion has a place for.
struct message_fields {
    json_part messages;
    json_part system;
    json_part max_tokens;
    json_part temperature;
    json_part top_p;
    json_part top_k;
    json_part stop_sequences;
    json_part tools;
    json_part tool_choice;
    json_part thinking;
    json_part output_config;
    json_part metadata;
    json_part stream;
    std::vector<std::string> others;
};

struct message_place {
    std::string_view name;
    json_part message_fields::*place;
};

constexpr message_place message_places[] = {
    {"messages", &message_fields::messages},
    {"system", &message_fields::system},
    {"max_tokens", &message_fields::max_tokens},
    {"temperature", &message_fields::temperature},
    {"top_p", &message_fields::top_p},
    {"top_k", &message_fields::top_k},
    {"stop_sequences", &message_fields::stop_sequences},
    {"tools", &message_fields::tools},
    {"tool_choice", &message_fields::tool_choice},
    {"thinking", &message_fields::thinking},
    {"output_config", &message_fields::output_config},
    {"metadata", &message_fields::metadata},
    {"stream", &message_fields::stream},
};

constexpr std::string_view unused_fields[] = {"model",     "fallback",       "retries",
                                              "timeout",   "load_balance",   "guardrails",
                                              "prompt_id", "prompt_version", "prompt_variables"};

// What only Anthropic has, and an answer without would be another one.
constexpr std::string_view impossible[] = {"mcp_servers", "container"};

message_fields read_fields(std::string_view body) {
    message_fields fields;
    http::json_reader members(body);
    while (const http::json_member* m = members.next()) {
        const auto named = [&](std::string_view name) { return is_named(*m, name); };
        const auto* const known = std::find_if(std::begin(message_places), std::end(message_places),
                                               [&](const message_place& p) { return named(p.name); });
        if (known != std::end(message_places)) {
            fields.*(known->place) = json_part(*m);
        } else if (json_part(*m) && !std::any_of(std::begin(unused_fields), std::end(unused_fields), named) &&
                   http::is_plain_json_text(m->key)) {
            fields.others.emplace_back(m->key);
        }
    }
    return fields;
}

class chat_writer {
public:
    chat_writer(std::string_view body, const messages_target& target) : f_(read_fields(body)), target_(target) {}

    result<chat_from_messages> run() {
        for (const std::string_view name : impossible) {
            if (std::find(f_.others.begin(), f_.others.end(), name) != f_.others.end()) {
                return refuse_field(name, "can only be used with models of Anthropic.");
            }
        }
        messages_turns turns(target_.cache_markers);
        if (auto ok = turns.take_system(f_.system); !ok) {
            return ok.error();
        }
        if (auto ok = turns.take(f_.messages); !ok) {
            return ok.error();
        }
        out_.dropped = std::move(f_.others);
        json_writer w(out_.body);
        w.open('{').text_member("model", target_.model).key("messages").open('[').raw(turns.list()).close(']');
        if (f_.max_tokens) {
            w.member(target_.newer_limit ? "max_completion_tokens" : "max_tokens", f_.max_tokens.raw);
        }
        write_sampling(w);
        if (auto ok = write_tools(w); !ok) {
            return ok.error();
        }
        write_output(w);
        if (const json_part user = member_of(f_.metadata.raw, "user_id"); user.is_string()) {
            w.member("user", user.raw);
        }
        if (f_.stream.is_true()) {
            w.member("stream", "true");
            if (target_.chat_form) {
                w.key("stream_options").open('{').member("include_usage", "true").close('}');
            }
        }
        w.close('}');
        return std::move(out_);
    }

private:
    void write_sampling(json_writer& w) {
        if (f_.temperature) {
            w.member("temperature", f_.temperature.raw);
        }
        if (f_.top_p) {
            w.member("top_p", f_.top_p.raw);
        }
        if (f_.top_k && target_.top_k) {
            w.member("top_k", f_.top_k.raw);
        } else if (f_.top_k) {
            out_.dropped.emplace_back("top_k");
        }
        if (f_.stop_sequences.is_array() && f_.stop_sequences.raw != "[]") {
            w.member("stop", f_.stop_sequences.raw);
        }
    }

    result<void> write_tools(json_writer& w) {
        std::string list;
        http::json_reader tools(f_.tools.raw);
        for (std::size_t i = 0; const http::json_member* m = tools.next(); ++i) {
            if (auto ok = append_tool(list, m->value, at_index("tools", i)); !ok) {
                return ok;
            }
        }
        if (list.empty()) {
            return {};
        }
        w.key("tools").open('[').raw(list).close(']');
        return write_choice(w);
    }

    static result<void> append_tool(std::string& list, std::string_view tool, const std::string& where) {
        json_part type;
        json_part name;
        json_part description;
        json_part schema;
        read_members(tool,
                     {{"type", &type}, {"name", &name}, {"description", &description}, {"input_schema", &schema}});
        if (type && !type.equals("custom")) {
            return refuse_field(where + ".type", "is a tool that only models of Anthropic have.");
        }
        if (!name.is_string()) {
            return refuse_field(where + ".name", "must be a string.");
        }
        json_writer w(list);
        w.open('{').text_member("type", "function").key("function").open('{').member("name", name.raw);
        if (description.is_string()) {
            w.member("description", description.raw);
        }
        if (schema.is_object()) {
            w.member("parameters", schema.raw);
        }
        w.close('}').close('}');
        return {};
    }

    result<void> write_choice(json_writer& w) {
        json_part type;
        json_part name;
        json_part single;
        read_members(f_.tool_choice.raw, {{"type", &type}, {"name", &name}, {"disable_parallel_tool_use", &single}});
        if (type.equals("auto") || type.equals("none")) {
            w.member("tool_choice", type.raw);
        } else if (type.equals("any")) {
            w.text_member("tool_choice", "required");
        } else if (type.equals("tool") && name.is_string()) {
            w.key("tool_choice").open('{').text_member("type", "function").key("function").open('{');
            w.member("name", name.raw).close('}').close('}');
        } else if (f_.tool_choice) {
            return refuse_field("tool_choice.type", "must be 'auto', 'any', 'tool' or 'none'.");
        }
        if (single.is_true()) {
            w.member("parallel_tool_calls", "false");
        }
        return {};
    }

    void write_output(json_writer& w) {
        json_part format;
        json_part effort;
        read_members(f_.output_config.raw, {{"format", &format}, {"effort", &effort}});
        const json_part schema = member_of(format.raw, "schema");
        if (schema.is_object()) {
            w.key("response_format").open('{').text_member("type", "json_schema").key("json_schema").open('{');
            w.text_member("name", "answer").member("schema", schema.raw).close('}').close('}');
        }
        const std::string_view wanted = effort_of(effort);
        if (!wanted.empty() && target_.thinking) {
            w.text_member("reasoning_effort", wanted);
        } else if (!wanted.empty()) {
            out_.dropped.emplace_back("thinking");
        }
    }

    [[nodiscard]] std::string_view effort_of(json_part effort) const {
        json_part type;
        json_part budget;
        read_members(f_.thinking.raw, {{"type", &type}, {"budget_tokens", &budget}});
        if (type.equals("disabled")) {
            return {};
        }
        for (const std::string_view level : {"low", "medium", "high", "xhigh", "max"}) {
            if (effort.equals(level)) {
                return level;
            }
        }
        if (type.equals("adaptive")) {
            return "medium";
        }
        if (!type.equals("enabled")) {
            return {};
        }
        const std::uint64_t tokens = budget.count();
        return tokens <= low_budget ? "low" : tokens <= medium_budget ? "medium" : "high";
    }

    message_fields f_;
    const messages_target& target_;
    chat_from_messages out_;
};

}  // namespace

result<chat_from_messages> to_chat(std::string_view body, const messages_target& target) {
    return chat_writer(body, target).run();
}

}  // namespace concurred::upstream
