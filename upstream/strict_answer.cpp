#include "upstream/strict_answer.hpp"

#include "gateway/http/json_scan.hpp"
#include "upstream/json_parts.hpp"
#include "upstream/json_schema.hpp"
#include "upstream/json_writer.hpp"
#include "upstream/provider_error.hpp"

#include <chrono>

namespace concurred::upstream {

namespace {

using http::json_member;
using http::json_reader;

}  // namespace

strict_answer::strict_answer(std::unique_ptr<answer_translator> inner, std::string_view tools)
    : inner_(std::move(inner)) {
    json_reader elements(tools);
    while (const json_member* m = elements.next()) {
        json_part name;
        json_part parameters;
        json_part strict;
        read_members(member_of(m->value, "function").raw,
                     {{"name", &name}, {"parameters", &parameters}, {"strict", &strict}});
        if (strict.is_true()) {
            schemas_.emplace(name.text(), parameters.is_object() ? std::string(parameters.raw) : "{}");
        }
    }
}

void strict_answer::feed(std::string_view bytes, std::string& out) {
    if (error_event_.empty()) {
        inner_->feed(bytes, said_);
        pass(out);
        take_state(false);
    }
}

void strict_answer::finish(std::string& out) {
    if (!error_event_.empty()) {
        return;
    }
    inner_->finish(said_);
    pass(out);
    if (error_event_.empty() && holding_) {
        out += held_;
        holding_ = false;
    }
    take_state(true);
}

void strict_answer::pass(std::string& out) {
    std::size_t begin = 0;
    for (std::size_t end = 0; error_event_.empty() && (end = said_.find("\n\n", begin)) != std::string::npos;) {
        end += 2;
        pass_event(std::string_view(said_).substr(begin, end - begin), out);
        begin = end;
    }
    said_.erase(0, begin);
}

void strict_answer::pass_event(std::string_view event, std::string& out) {
    // Quotes inside of texts are escaped: only a name can look like this.
    holding_ = holding_ || event.find("\"tool_calls\":[") != std::string_view::npos;
    if (!holding_) {
        out += event;
        return;
    }
    held_ += event;
    constexpr std::string_view front = "data: {";
    if (!event.starts_with(front)) {
        return;
    }
    bool finished = false;
    const json_part choices = member_of(event.substr(front.size() - 1, event.size() - front.size() - 1), "choices");
    json_reader elements(choices.list());
    while (const json_member* m = elements.next()) {
        collect(m->value);
        finished = finished || member_of(m->value, "finish_reason").is_string();
    }
    if (finished && all_right()) {
        out += held_;
        held_.clear();
        holding_ = false;
    }
}

/// Takes the calls of a choice, of a stream or whole.
void strict_answer::collect(std::string_view choice) {
    json_part index;
    json_part delta;
    json_part message;
    read_members(choice, {{"index", &index}, {"delta", &delta}, {"message", &message}});
    add_calls(member_of((delta ? delta : message).raw, "tool_calls").list(), static_cast<unsigned>(index.count()));
}

void strict_answer::add_calls(std::string_view calls, unsigned choice) {
    json_reader elements(calls);
    for (std::uint64_t i = 0; const json_member* m = elements.next(); ++i) {
        json_part index;
        json_part function;
        read_members(m->value, {{"index", &index}, {"function", &function}});
        json_part name;
        json_part arguments;
        read_members(function.raw, {{"name", &name}, {"arguments", &arguments}});
        call& c = calls_[{choice, index ? index.count() : i}];
        c.name += name.text();
        c.arguments += arguments.text();
    }
}

/// Whether all calls so far are as their tools want them; else the error is set.
bool strict_answer::all_right() {
    for (const auto& [place, c] : calls_) {
        const auto schema = schemas_.find(c.name);
        if (schema == schemas_.end()) {
            continue;
        }
        const auto wrong = http::is_json_object(c.arguments) ? schema_violation(schema->second, c.arguments)
                                                             : std::optional<std::string>("they are no JSON object");
        if (wrong) {
            json_writer w(error_event_);
            w.open('{').key("error").open('{').text_member(
                "message", "The model called '" + c.name + "' with arguments that its schema forbids: " + *wrong + ".");
            w.text_member("type", "invalid_request_error").text_member("code", "tool_call_invalid_arguments");
            w.close('}').close('}');
            return false;
        }
    }
    calls_.clear();
    return true;
}

void strict_answer::take_state(bool end) {
    usage_ = inner_->usage();
    input_usage_ = inner_->input_usage();
    cost_nano_usd_ = inner_->cost_nano_usd();
    long_cache_writes_ = inner_->long_cache_writes();
    output_octets_ = inner_->output_octets();
    if (error_event_.empty()) {
        error_event_ = inner_->error_event();
    }
    if (error_event_.empty()) {
        content_seen_ = content_seen_ || (!holding_ && inner_->content_seen());
        done_ = inner_->done() && (end || !holding_);
    }
}

base::result<std::string> strict_answer::whole(std::string_view body) {
    base::result<std::string> made = inner_->whole(body);
    take_state(true);
    if (!made) {
        return made;
    }
    const json_part choices = member_of(*made, "choices");
    json_reader elements(choices.list());
    while (const json_member* m = elements.next()) {
        collect(m->value);
    }
    if (!all_right()) {
        done_ = false;
        return error_from_answer({.status = 200, .body = error_event_}, std::chrono::system_clock::now());
    }
    return made;
}

}  // namespace concurred::upstream
