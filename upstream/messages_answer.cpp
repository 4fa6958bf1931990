#include "upstream/messages_answer.hpp"

#include "upstream/error_fields.hpp"
#include "upstream/json_writer.hpp"
#include "upstream/messages_words.hpp"
#include "upstream/usage_extract.hpp"

#include <algorithm>
#include <utility>

namespace concurred::upstream {

namespace {

// An event up to its data's members behind "type".
void open_event(std::string& out, std::string_view type) {
    out.append("event: ").append(type).append("\ndata: {\"type\":\"").append(type).append("\"");
}

void close_event(std::string& out) {
    out += "}\n\n";
}

std::string_view or_empty(json_part text) noexcept {
    return text.is_string() ? text.raw : std::string_view("\"\"");
}

bool is_filled(json_part text) noexcept {
    return text.is_string() && !text.is_empty_string();
}

}  // namespace

messages_answer::messages_answer(std::string_view model, std::unique_ptr<answer_translator> inner)
    : model_(model), inner_(std::move(inner)) {}

void messages_answer::feed(std::string_view bytes, std::string& out) {
    if (done_ || !error_event_.empty()) {
        return;
    }
    if (inner_ == nullptr) {
        take_chat(bytes, out);
        return;
    }
    inner_out_.clear();
    inner_->feed(bytes, inner_out_);
    adopt_inner();
    take_chat(inner_out_, out);
}

void messages_answer::finish(std::string& out) {
    if (done_ || !error_event_.empty()) {
        return;
    }
    if (inner_ != nullptr) {
        inner_out_.clear();
        inner_->finish(inner_out_);
        adopt_inner();
        take_chat(inner_out_, out);
    }
    if (!done_ && error_event_.empty()) {
        events_.finish([&](std::string_view chunk) { return take(chunk, out); });
    }
    if (!done_ && error_event_.empty() && !stop_reason_.empty()) {
        end_stream(out);
    }
}

void messages_answer::adopt_inner() {
    usage_ = inner_->usage();
    input_usage_ = inner_->input_usage();
    output_octets_ = inner_->output_octets();
    if (!inner_->error_event().empty()) {
        error_event_ = inner_->error_event();
    }
}

void messages_answer::take_chat(std::string_view bytes, std::string& out) {
    const std::string error = std::exchange(error_event_, {});  // of the inner one: what came before it still goes out
    if (!events_.feed(bytes, [&](std::string_view chunk) { return take(chunk, out); })) {
        error_event_ = R"({"error":{"type":"server_error","message":"The provider sent an event that is too long."}})";
    }
    if (!error.empty()) {
        error_event_ = error;
    }
}

bool messages_answer::take(std::string_view chunk, std::string& out) {
    if (chunk.starts_with("[DONE]")) {
        end_stream(out);
        return false;
    }
    json_part id;
    json_part model;
    json_part choices;
    json_part usage;
    json_part error;
    json_part base_resp;
    if (!read_members(chunk, {{"id", &id},
                              {"model", &model},
                              {"choices", &choices},
                              {"usage", &usage},
                              {"error", &error},
                              {"base_resp", &base_resp}}) ||
        is_error(error) || is_failure(base_resp)) {
        error_event_ = http::is_json_object(chunk)
                           ? std::string(chunk)
                           : R"({"error":{"type":"server_error","message":"The provider sent no JSON."}})";
        return false;
    }
    take_usage(usage);
    http::json_reader list(choices.raw);
    const http::json_member* const choice = choices.is_array() ? list.next() : nullptr;
    if (choice == nullptr) {
        return true;
    }
    begin(id, model, out);
    json_part delta;
    json_part finish;
    read_members(choice->value, {{"delta", &delta}, {"finish_reason", &finish}});
    take_delta(delta.raw, out);
    if (is_filled(finish)) {
        stop_reason_ = stop_reason_of(finish);
        content_seen_ = true;
    }
    return true;
}

void messages_answer::take_usage(json_part usage) {
    if (inner_ == nullptr && usage.is_object()) {
        if (const auto counts = parse_usage(usage.raw)) {
            usage_ = counts;
        }
    }
}

void messages_answer::begin(json_part id, json_part model, std::string& out) {
    if (std::exchange(begun_, true)) {
        return;
    }
    open_event(out, "message_start");
    json_writer w(out);
    w.key("message").open('{').member("id", or_empty(id)).text_member("type", "message");
    w.text_member("role", "assistant").key("model");
    if (is_filled(model)) {
        w.raw(model.raw);
    } else {
        w.text(model_);
    }
    w.member("content", "[]").member("stop_reason", "null").member("stop_sequence", "null").key("usage");
    append_anthropic_usage(out, input_usage_.value_or(base::token_counts{}));
    w.close('}');
    close_event(out);
}

void messages_answer::take_delta(std::string_view delta, std::string& out) {
    json_part content;
    json_part refusal;
    json_part reasoning;
    json_part reasoning_openrouter;
    json_part details;
    json_part calls;
    read_members(delta, {{"content", &content},
                         {"refusal", &refusal},
                         {"reasoning_content", &reasoning},
                         {"reasoning", &reasoning_openrouter},
                         {"reasoning_details", &details},
                         {"tool_calls", &calls}});
    put_text(block_kind::thinking, is_filled(reasoning) ? reasoning : reasoning_openrouter, out);
    take_details(details, out);
    put_text(block_kind::text, content, out);
    put_text(block_kind::text, refusal, out);
    take_calls(calls, out);
}

// A thought's text has come already, piece by piece; what its item adds is the signature. An encrypted one is a block.
void messages_answer::take_details(json_part details, std::string& out) {
    if (!details.is_array()) {
        return;
    }
    http::json_reader items(details.raw);
    while (const http::json_member* m = items.next()) {
        json_part type;
        json_part signature;
        read_members(m->value, {{"type", &type}, {"signature", &signature}});
        if (type.equals("reasoning.text") && is_filled(signature)) {
            if (open_ != block_kind::thinking) {
                open_block(block_kind::thinking, R"({"type":"thinking","thinking":"","signature":""})", out);
            }
            put_delta(blocks_ - 1, "signature_delta", "signature", signature.raw, out);
            close_block(out);
        } else if (type.equals("reasoning.encrypted")) {
            if (const std::string block = thinking_block_of(m->value); !block.empty()) {
                open_block(block_kind::text, block, out);
                close_block(out);
            }
        }
    }
}

void messages_answer::put_text(block_kind kind, json_part text, std::string& out) {
    if (!is_filled(text)) {
        return;
    }
    const bool thinking = kind == block_kind::thinking;
    if (open_ != kind) {
        open_block(kind,
                   thinking ? R"({"type":"thinking","thinking":"","signature":""})" : R"({"type":"text","text":""})",
                   out);
    }
    put_delta(blocks_ - 1, thinking ? "thinking_delta" : "text_delta", thinking ? "thinking" : "text", text.raw, out);
    if (inner_ == nullptr) {
        output_octets_ += text.raw.size() - 2;
    }
}

void messages_answer::take_calls(json_part calls, std::string& out) {
    if (!calls.is_array()) {
        return;
    }
    http::json_reader list(calls.raw);
    while (const http::json_member* m = list.next()) {
        take_call(m->value, out);
    }
}

void messages_answer::take_call(std::string_view call, std::string& out) {
    json_part index;
    json_part id;
    json_part function;
    json_part name;
    json_part arguments;
    read_members(call, {{"index", &index}, {"id", &id}, {"function", &function}});
    read_members(function.raw, {{"name", &name}, {"arguments", &arguments}});
    const std::uint64_t number = index.is_number() ? index.count() : tools_.size();
    const auto known =
        std::find_if(tools_.begin(), tools_.end(), [number](const tool_block& t) { return t.call == number; });
    std::uint64_t block = 0;
    if (known == tools_.end()) {
        std::string start = R"({"type":"tool_use","id":)";
        start.append(or_empty(id)).append(R"(,"name":)").append(or_empty(name)).append(R"(,"input":{}})");
        open_block(block_kind::tool, start, out);
        block = blocks_ - 1;
        tools_.push_back({number, block});
    } else {
        block = known->block;
    }
    if (is_filled(arguments)) {
        put_delta(block, "input_json_delta", "partial_json", arguments.raw, out);
        if (inner_ == nullptr) {
            output_octets_ += arguments.raw.size() - 2;
        }
    }
}

void messages_answer::open_block(block_kind kind, std::string_view content, std::string& out) {
    close_block(out);
    content_seen_ = true;
    open_ = kind;
    open_event(out, "content_block_start");
    json_writer(out).number_member("index", blocks_++).member("content_block", content);
    close_event(out);
}

void messages_answer::close_block(std::string& out) {
    if (std::exchange(open_, block_kind::none) == block_kind::none) {
        return;
    }
    open_event(out, "content_block_stop");
    json_writer(out).number_member("index", blocks_ - 1);
    close_event(out);
}

void messages_answer::put_delta(std::uint64_t block, std::string_view type, std::string_view name, std::string_view raw,
                                std::string& out) {
    open_event(out, "content_block_delta");
    json_writer w(out);
    w.number_member("index", block).key("delta").open('{').text_member("type", type).member(name, raw).close('}');
    close_event(out);
}

void messages_answer::end_stream(std::string& out) {
    if (std::exchange(done_, true)) {
        return;
    }
    content_seen_ = true;
    begin({}, {}, out);
    close_block(out);
    open_event(out, "message_delta");
    json_writer w(out);
    w.key("delta").open('{').text_member("stop_reason", stop_reason_.empty() ? "end_turn" : stop_reason_);
    w.member("stop_sequence", "null").close('}').key("usage");
    append_anthropic_usage(out, usage_.value_or(base::token_counts{.completion = (output_octets_ + 3) / 4}));
    close_event(out);
    open_event(out, "message_stop");
    close_event(out);
}

base::result<std::string> messages_answer::whole(std::string_view body) {
    std::string chat;
    if (inner_ != nullptr) {
        base::result<std::string> made = inner_->whole(body);
        adopt_inner();
        if (!made) {
            return made.error();
        }
        chat = std::move(*made);
        body = chat;
    }
    json_part id;
    json_part model;
    json_part choices;
    json_part usage;
    json_part error;
    json_part base_resp;
    const bool valid = read_members(json_part(body).raw, {{"id", &id},
                                                          {"model", &model},
                                                          {"choices", &choices},
                                                          {"usage", &usage},
                                                          {"error", &error},
                                                          {"base_resp", &base_resp}});
    if (valid && (is_error(error) || is_failure(base_resp))) {
        error_event_ = body;
    }
    http::json_reader list(choices.raw);
    const http::json_member* const choice = valid && choices.is_array() ? list.next() : nullptr;
    if (choice == nullptr) {
        return base::upstream_error(base::errc::upstream_error, "The provider's answer is no chat completion.");
    }
    take_usage(usage);
    json_part message;
    json_part finish;
    read_members(choice->value, {{"message", &message}, {"finish_reason", &finish}});
    std::string out;
    json_writer w(out);
    w.open('{').member("id", or_empty(id)).text_member("type", "message").text_member("role", "assistant").key("model");
    if (is_filled(model)) {
        w.raw(model.raw);
    } else {
        w.text(model_);
    }
    w.key("content").open('[');
    append_content_blocks(out, message.raw);
    w.close(']').text_member("stop_reason", stop_reason_of(finish)).member("stop_sequence", "null").key("usage");
    append_anthropic_usage(out, usage_.value_or(base::token_counts{}));
    w.close('}');
    if (inner_ == nullptr) {
        output_octets_ = message.raw.size();
    }
    done_ = content_seen_ = true;
    return out;
}

}  // namespace concurred::upstream
