#include "upstream/responses_answer.hpp"

#include "gateway/http/json_string.hpp"
#include "upstream/json_parts.hpp"
#include "upstream/sse_events.hpp"
#include "upstream/usage_extract.hpp"

namespace concurred::upstream {

void responses_answer::feed(std::string_view bytes, std::string& out) {
    const char* p = bytes.data();
    const char* const end = p + bytes.size();
    while (p != end && error_event_.empty()) {
        if (pending_.empty() && framer_.takes_line_feed(*p)) {
            out += *p++;
            continue;
        }
        const char* const stop = framer_.find_end(p, end);
        pending_.append(p, stop == nullptr ? end : stop);
        if (pending_.size() > sse_events::max_event) {
            error_event_ = R"({"error":{"message":"The provider sent an event that is too long."}})";
            return;
        }
        if (stop == nullptr) {
            return;
        }
        event(pending_, out);
        pending_.clear();
        p = stop;
    }
}

void responses_answer::finish(std::string& out) {
    if (error_event_.empty() && !pending_.empty()) {
        event(pending_, out);
        out += "\n\n";  // it came without the blank line that ends it
        pending_.clear();
    }
}

void responses_answer::event(std::string_view event, std::string& out) {
    const auto data = http::sse_data(event, scratch_);
    if (!data || note(*data)) {
        out += event;
    }
}

/// @return whether the event goes on: an error before all content does not, it becomes the answer's status
bool responses_answer::note(std::string_view data) {
    json_part type;
    json_part response;
    json_part delta;
    json_part error;
    read_members(data, {{"type", &type}, {"response", &response}, {"delta", &delta}, {"error", &error}});
    if (delta.is_string()) {
        content_seen_ = content_seen_ || !delta.is_empty_string();
        output_octets_ += http::json_unescaped_size(delta.raw.substr(1, delta.raw.size() - 2));
        return true;
    }
    const bool failed = type.equals("response.failed");
    if (failed || type.equals("error") || (error && !type)) {
        note_response(response.raw);
        const json_part inner = failed ? member_of(response.raw, "error") : error;
        error_event_ = inner ? "{\"error\":" + std::string(inner.raw) + "}" : std::string(data);
        return false;
    }
    if (type.equals("response.completed") || type.equals("response.incomplete")) {
        note_response(response.raw);
        done_ = content_seen_ = true;
    }
    return true;
}

void responses_answer::note_response(std::string_view response) {
    if (const auto counts = parse_usage(member_of(response, "usage").raw)) {
        usage_ = counts;
    }
}

base::result<std::string> responses_answer::whole(std::string_view body) {
    json_part id;
    json_part error;
    json_part output;
    if (!read_members(body, {{"id", &id}, {"error", &error}, {"output", &output}})) {
        return base::upstream_error(base::errc::upstream_error, "The provider sent an answer that is no JSON object.");
    }
    if (!output && error) {
        error_event_ = body;
        return base::upstream_error(base::errc::upstream_error, "The provider reported an error.");
    }
    note_response(body);
    output_octets_ = output.raw.size();
    done_ = content_seen_ = true;
    return std::string(body);
}

}  // namespace concurred::upstream
