#include "upstream/chunk_writer.hpp"

#include "upstream/json_writer.hpp"

namespace concurred::upstream {

void append_usage(std::string& out, const base::token_counts& counts, bool cache_writes) {
    json_writer w(out);
    w.open('{').number_member("prompt_tokens", counts.input());
    w.number_member("completion_tokens", counts.output()).number_member("total_tokens", counts.total());
    w.key("prompt_tokens_details").open('{').number_member("cached_tokens", counts.cache_read);
    if (cache_writes || counts.cache_write != 0) {
        w.number_member("cache_write_tokens", counts.cache_write);
    }
    w.close('}').key("completion_tokens_details").open('{').number_member("reasoning_tokens", counts.reasoning);
    w.close('}').close('}');
}

void chunk_writer::begin(std::string_view id, std::int64_t created, std::string_view model, bool include_usage) {
    include_usage_ = include_usage;
    head_ = "data: ";
    json_writer w(head_);
    w.open('{').text_member("id", id).text_member("object", "chat.completion.chunk");
    w.member("created", std::to_string(created)).text_member("model", model).key("choices").open('[');
}

void chunk_writer::open(std::string& out, unsigned choice) const {
    out.append(head_).append(R"({"index":)").append(std::to_string(choice)).append(R"(,"delta":{)");
}

void chunk_writer::close(std::string& out, std::string_view finish_reason, std::string_view logprobs) const {
    out.append(R"(},"logprobs":)").append(logprobs.empty() ? "null" : logprobs).append(R"(,"finish_reason":)");
    if (finish_reason.empty()) {
        out += "null";
    } else {
        out.append("\"").append(finish_reason).append("\"");
    }
    out += include_usage_ ? "}],\"usage\":null}\n\n" : "}]}\n\n";
}

void chunk_writer::end(std::string& out, const base::token_counts* usage, bool cache_writes) const {
    if (include_usage_ && usage != nullptr) {
        out.append(head_).append(R"(],"usage":)");
        append_usage(out, *usage, cache_writes);
        out += "}\n\n";
    }
    out += "data: [DONE]\n\n";
}

}  // namespace concurred::upstream
