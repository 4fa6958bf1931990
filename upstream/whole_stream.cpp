#include "upstream/whole_stream.hpp"

#include "upstream/json_parts.hpp"

namespace concurred::upstream {

base::result<std::string> stream_of_whole(std::string_view answer, bool include_usage) {
    json_part choices;
    json_part type;
    json_part content;
    json_part object;
    const json_part whole(answer);
    if (read_members(whole.raw, {{"choices", &choices}, {"type", &type}, {"content", &content}, {"object", &object}})) {
        std::string out;
        if (http::json_reader(choices.list()).next() != nullptr) {  // no choice is no completion
            append_completion_stream(out, whole.raw, include_usage);
            return out;
        }
        if (type.equals("message") && content.is_array()) {
            append_message_stream(out, whole.raw);
            return out;
        }
        if (object.equals("response")) {
            append_response_stream(out, whole.raw);
            return out;
        }
    }
    return base::upstream_error(base::errc::upstream_error, "The provider answered with something else than a stream.",
                                base::retry_class::safe);
}

}  // namespace concurred::upstream
