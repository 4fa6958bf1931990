#include "upstream/prepared_request.hpp"

#include <chrono>

namespace concurred::upstream {

base::result<void> prepared_request::prepare(const provider& to, const route_target& target,
                                             const chat_request& request, std::string_view body) {
    translation_ = to.dialect().translation;
    client_body_ = body;
    body_ = {};
    translated_ = {};
    params_ = {.stream = request.stream, .strip_usage = request.stream && !request.include_usage};
    if (translation_ == nullptr) {
        path_ = "/chat/completions";
        body_ = splice_body(body, request, target.upstream_model, request.stream, scratch_);
        return {};
    }
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    context_ = {.upstream_model = target.upstream_model,
                .answer_model = target.model,
                .max_output_tokens = target.max_output_tokens,
                .stream = request.stream,
                .include_usage = request.include_usage,
                .created = std::chrono::duration_cast<std::chrono::seconds>(now).count()};
    base::result<translated_request> made = translation_->request(body, context_);
    if (!made) {
        return made.error();
    }
    translated_ = std::move(*made);
    path_ = translated_.path;
    body_.add(translated_.body);
    return {};
}

std::unique_ptr<answer_translator> prepared_request::translator() const {
    return translation_ == nullptr ? nullptr : translation_->answer(client_body_, context_);
}

}  // namespace concurred::upstream
