#include "upstream/anthropic_answer.hpp"

#include "upstream/json_writer.hpp"

#include <utility>

namespace concurred::upstream {

namespace {

constexpr std::string_view format_member = R"("format":"anthropic-claude-v1","index":)";

// What stands between the quotes of a JSON string.
}  // namespace

std::string thought_item(std::string_view thinking, std::string_view signature, std::uint64_t index) {
    std::string out = R"({"type":"reasoning.text","text":")";
    out.append(thinking).append(R"(","signature":")").append(signature).append("\",");
    return out.append(format_member).append(std::to_string(index)).append("}");
}

std::string redacted_item(std::string_view data, std::uint64_t index) {
    std::string out = R"({"type":"reasoning.encrypted","data":")";
    out.append(data).append("\",");
    return out.append(format_member).append(std::to_string(index)).append("}");
}

anthropic_answer::anthropic_answer(const translation_context& context, std::string answer_tool)
    : answer_model_(context.answer_model),
      created_(context.created),
      include_usage_(context.include_usage),
      answer_tool_(std::move(answer_tool)) {}

void anthropic_answer::feed(std::string_view bytes, std::string& out) {
    if (done_ || !error_event_.empty()) {
        return;
    }
    if (!events_.feed(bytes, [&](std::string_view event) { return take(event, out); })) {
        fail_because("The provider sent an event that is too long.");
    }
}

void anthropic_answer::finish(std::string& out) {
    if (!done_ && error_event_.empty()) {
        events_.finish([&](std::string_view event) { return take(event, out); });
    }
    // A stream that told why it stopped is whole, whatever became of its last line.
    if (stopped_ && !done_ && error_event_.empty()) {
        end_stream(out);
    }
}

// Takes one event; returns whether to go on.
bool anthropic_answer::take(std::string_view event, std::string& out) {
    json_part type;
    json_part message;
    json_part content_block;
    json_part delta;
    json_part usage;
    if (!read_members(event, {{"type", &type},
                              {"message", &message},
                              {"content_block", &content_block},
                              {"delta", &delta},
                              {"usage", &usage}})) {
        fail_because("The provider sent an event that is not JSON.");
        return false;
    }
    if (type.raw == R"("content_block_delta")") {
        take_delta(delta, out);
    } else if (type.raw == R"("content_block_start")") {
        begin_block(content_block, out);
    } else if (type.raw == R"("content_block_stop")") {
        end_block(out);
    } else if (type.raw == R"("message_start")") {
        begin(message, out);
    } else if (type.raw == R"("message_delta")") {
        take_end(delta, usage, out);
    } else if (type.raw == R"("message_stop")") {
        end_stream(out);
    } else if (type.raw == R"("error")") {
        return fail(event);
    }
    return error_event_.empty() && !done_;
}

bool anthropic_answer::fail(std::string_view event) {
    error_event_ = event;
    return false;
}

void anthropic_answer::fail_because(std::string_view why) {
    error_event_.clear();
    json_writer w(error_event_);
    w.open('{').text_member("type", "error").key("error").open('{').text_member("type", "api_error");
    w.text_member("message", why).close('}').close('}');
}

void anthropic_answer::put(std::string_view member, std::string_view raw, std::string& out) {
    chunks_.open(out, 0);
    json_writer(out).member(member, raw);
    chunks_.close(out);
}

void anthropic_answer::begin(json_part message, std::string& out) {
    if (chunks_.begun()) {
        // Some servers repeat it at once; later it means that something on the way began again.
        if (block_seen_) {
            fail_because("The provider began its answer a second time.");
        }
        return;
    }
    json_part id;
    json_part model;
    json_part usage;
    read_members(message.raw, {{"id", &id}, {"model", &model}, {"usage", &usage}});
    counts_.take(usage.raw);
    long_cache_writes_ = counts_.long_cache_writes();
    input_usage_ = counts_.counts();
    input_usage_->completion = input_usage_->reasoning = 0;
    const std::string name = model.text();
    chunks_.begin(id.text(), created_, name.empty() ? answer_model_ : std::string_view(name), include_usage_);
    chunks_.open(out, 0);
    json_writer(out).text_member("role", "assistant").text_member("content", "");
    chunks_.close(out);
}

void anthropic_answer::begin_block(json_part given, std::string& out) {
    if (!chunks_.begun()) {
        begin({}, out);
    }
    block_seen_ = true;
    block_ = {};
    json_part type;
    json_part text;
    json_part id;
    json_part name;
    json_part input;
    json_part data;
    read_members(given.raw,
                 {{"type", &type}, {"text", &text}, {"id", &id}, {"name", &name}, {"input", &input}, {"data", &data}});
    if (type.raw == R"("text")") {
        block_.kind = block_kind::text;
        take_text(text, out);
    } else if (type.raw == R"("thinking")") {
        block_.kind = block_kind::thinking;
        json_part thinking;
        json_part signature;
        read_members(given.raw, {{"thinking", &thinking}, {"signature", &signature}});
        take_thinking(thinking, out);
        block_.signature = signature.inside();
    } else if (type.raw == R"("redacted_thinking")") {
        block_.kind = block_kind::other;
        put_details(redacted_item(data.inside(), thoughts_++), out);
    } else if (type.raw == R"("tool_use")" && !answer_tool_.empty() && name.equals(answer_tool_)) {
        block_.kind = block_kind::answer;
        answered_by_tool_ = true;
    } else if (type.raw == R"("tool_use")") {
        block_.kind = block_kind::tool;
        block_.tool = tools_++;
        block_.input = input.raw;
        content_seen_ = true;
        output_octets_ += name.inside().size();
        chunks_.open(out, 0);
        json_writer w(out);
        w.key("tool_calls").open('[').open('{').number_member("index", block_.tool);
        w.member("id", id.is_string() ? id.raw : "\"\"").text_member("type", "function");
        w.key("function").open('{').member("name", name.is_string() ? name.raw : "\"\"");
        w.text_member("arguments", "").close('}').close('}').close(']');
        chunks_.close(out);
    } else {
        block_.kind = block_kind::other;
    }
}

void anthropic_answer::take_delta(json_part delta, std::string& out) {
    if (!chunks_.begun()) {
        begin({}, out);
    }
    json_part type;
    json_part text;
    json_part thinking;
    json_part partial_json;
    json_part signature;
    json_part citation;
    read_members(delta.raw, {{"type", &type},
                             {"text", &text},
                             {"thinking", &thinking},
                             {"partial_json", &partial_json},
                             {"signature", &signature},
                             {"citation", &citation}});
    if (type.raw == R"("text_delta")") {
        take_text(text, out);
    } else if (type.raw == R"("thinking_delta")") {
        take_thinking(thinking, out);
    } else if (type.raw == R"("input_json_delta")") {
        take_arguments(partial_json, out);
    } else if (type.raw == R"("signature_delta")") {
        block_.signature += signature.inside();
    } else if (type.raw == R"("citations_delta")") {
        citations_.take(citation);
    }
}

void anthropic_answer::take_text(json_part text, std::string& out) {
    const std::string_view words = text.inside();
    if (words.empty()) {
        return;
    }
    block_seen_ = content_seen_ = true;
    output_octets_ += words.size();
    citations_.text(words);
    put("content", text.raw, out);
}

void anthropic_answer::take_thinking(json_part text, std::string& out) {
    const std::string_view words = text.inside();
    if (words.empty()) {
        return;
    }
    content_seen_ = true;
    output_octets_ += words.size();
    block_.thinking += words;
    put("reasoning_content", text.raw, out);
}

void anthropic_answer::take_arguments(json_part piece, std::string& out) {
    const std::string_view words = piece.inside();
    if (words.empty()) {
        return;
    }
    output_octets_ += words.size();
    block_.any_argument = true;
    if (block_.kind == block_kind::answer) {
        content_seen_ = true;
        put("content", piece.raw, out);
    } else if (block_.kind == block_kind::tool) {
        put_arguments(words, out);
    }
}

void anthropic_answer::put_arguments(std::string_view words, std::string& out) {
    chunks_.open(out, 0);
    json_writer w(out);
    w.key("tool_calls").open('[').open('{').number_member("index", block_.tool).key("function").open('{');
    w.key("arguments");
    out.append("\"").append(words).append("\"");
    w.close('}').close('}').close(']');
    chunks_.close(out);
}

void anthropic_answer::put_details(std::string_view item, std::string& out) {
    content_seen_ = true;
    chunks_.open(out, 0);
    json_writer(out).key("reasoning_details").open('[').raw(item).close(']');
    chunks_.close(out);
}

void anthropic_answer::end_block(std::string& out) {
    const block ended = std::exchange(block_, {});
    switch (ended.kind) {
        case block_kind::tool:
            if (!ended.any_argument) {
                // A call without arguments has the empty object; some servers give the whole input at the start.
                std::string given;
                append_compact(given, ended.input.starts_with('{') ? std::string_view(ended.input) : "{}");
                std::string quoted;
                http::append_json_string(quoted, given);
                block_.tool = ended.tool;
                put_arguments(std::string_view(quoted).substr(1, quoted.size() - 2), out);
            }
            break;
        case block_kind::thinking:
            if (!ended.thinking.empty() || !ended.signature.empty()) {
                put_details(thought_item(ended.thinking, ended.signature, thoughts_++), out);
            }
            break;
        case block_kind::text: {
            std::string annotations;
            citations_.end_block(annotations);
            if (!annotations.empty()) {
                put("annotations", "[" + annotations + "]", out);
            }
            break;
        }
        case block_kind::answer:
        case block_kind::other:
        case block_kind::none:
            break;
    }
}

void anthropic_answer::take_end(json_part delta, json_part usage, std::string& out) {
    if (!chunks_.begun()) {
        begin({}, out);
    }
    if (usage.is_object()) {
        counts_.take(usage.raw);
        long_cache_writes_ = counts_.long_cache_writes();
        usage_ = counts_.counts();
    }
    json_part reason;
    json_part details;
    read_members(delta.raw, {{"stop_reason", &reason}, {"stop_details", &details}});
    if (!reason || stopped_) {
        return;
    }
    stopped_ = content_seen_ = true;
    if (reason.raw == R"("refusal")") {
        if (const json_part why = member_of(details.raw, "explanation"); why.is_string()) {
            put("refusal", why.raw, out);
        }
    }
    const bool by_tool = answered_by_tool_ && tools_ == 0;
    const std::string_view finish = finish_reason_of(reason.raw);
    chunks_.open(out, 0);
    chunks_.close(out, by_tool && finish == "tool_calls" ? "stop" : finish);
}

void anthropic_answer::end_stream(std::string& out) {
    done_ = true;
    if (!chunks_.begun()) {
        begin({}, out);
    }
    content_seen_ = true;
    const base::token_counts counts = counts_.counts();
    chunks_.end(out, &counts, true);
}

}  // namespace concurred::upstream
