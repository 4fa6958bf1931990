#include "upstream/prepared_request.hpp"

#include "gateway/http/characters.hpp"
#include "upstream/anthropic_passage.hpp"
#include "upstream/messages_answer.hpp"
#include "upstream/messages_request.hpp"
#include "upstream/openai_fixes.hpp"
#include "upstream/responses_answer.hpp"
#include "upstream/strict_answer.hpp"
#include "upstream/tool_check.hpp"

#include <chrono>

namespace concurred::upstream {

namespace {

using base::result;

bool begins_with(std::string_view name, std::string_view start) noexcept {
    return name.size() >= start.size() && http::iequals(name.substr(0, start.size()), start);
}

/// The fields of the client's head that belong to Anthropic's dialect. Credentials have other names.
std::string dialect_fields(const http::request_head& head, std::string_view fixed) {
    std::string kept;
    bool version = false;
    for (const http::field& f : head.fields()) {
        if (begins_with(f.name, "anthropic-")) {
            kept.append(f.name).append(": ").append(f.value).append("\r\n");
            version = version || http::iequals(f.name, "anthropic-version");
        }
    }
    return version ? kept : std::string(fixed) + kept;
}

base::error only_anthropic(std::string_view provider) {
    return base::client_error(
        base::errc::bad_request,
        "Tokens can be counted for models of anthropic only, not for those of '" + std::string(provider) + "'.",
        "model");
}

}  // namespace

result<void> prepared_request::prepare(const provider& to, const route_target& target, const chat_request& request,
                                       std::string_view body, const http::exchange& x) {
    way_ = way::as_it_is;
    translation_ = to.dialect().translation;
    client_body_ = body;
    body_ = {};
    fields_ = to.dialect().fixed_fields;
    translated_ = {};
    strict_tools_ = {};
    params_ = {.stream = request.stream, .strip_usage = request.stream && !request.include_usage};
    context_ = {.upstream_model = target.upstream_model,
                .answer_model = target.model,
                .max_output_tokens = target.max_output_tokens,
                .stream = request.stream,
                .include_usage = request.include_usage};
    return x.form == http::api_form::openai ? prepare_chat(to, request, body) : prepare_messages(to, request, body, x);
}

result<void> prepared_request::prepare_chat(const provider& to, const chat_request& request, std::string_view body) {
    if (const result<void> ok = check_tools_for(request, context_.upstream_model); !ok) {
        return ok;
    }
    if (translation_ != nullptr) {
        way_ = way::translated;
        strict_tools_ = has_strict_tools(request.tools) ? request.tools : std::string_view();
        return translate(body);
    }
    path_ = "/chat/completions";
    body_ = splice_body(body, request, context_.upstream_model, request.stream, scratch_,
                        openai_fixes(to.name(), context_.upstream_model, request));
    return {};
}

result<void> prepared_request::prepare_messages(const provider& to, const chat_request& request, std::string_view body,
                                                const http::exchange& x) {
    const bool count = x.form == http::api_form::anthropic_count;
    if (translation_ == &anthropic_dialect()) {
        way_ = count ? way::count : way::messages;
        translated_.path = count ? "/v1/messages/count_tokens" : "/v1/messages";
        if (!x.head.query.empty()) {
            translated_.path.append("?").append(x.head.query);
        }
        path_ = translated_.path;
        fields_ = dialect_fields(x.head, to.dialect().fixed_fields);
        body_ = splice_body(body, request, context_.upstream_model, false, scratch_);
        return {};
    }
    if (count) {
        return only_anthropic(to.name());
    }
    const bool chat_form = translation_ == nullptr;
    const bool openrouter = to.name() == "openrouter";
    result<chat_from_messages> chat = to_chat(body, {.model = context_.upstream_model,
                                                     .chat_form = chat_form,
                                                     .cache_markers = openrouter,
                                                     .newer_limit = to.name() == "openai",
                                                     .thinking = !chat_form || openrouter,

                                                     .top_k = openrouter || to.name() == "google"});
    if (!chat) {
        return chat.error();
    }
    way_ = way::to_messages;
    chat_ = std::move(chat->body);
    if (!chat_form) {
        context_.include_usage = true;
        client_body_ = chat_;
        if (auto ok = translate(chat_); !ok) {
            return ok;
        }
    } else {
        path_ = "/chat/completions";
        body_.add(chat_);
    }
    translated_.dropped.insert(translated_.dropped.end(), chat->dropped.begin(), chat->dropped.end());
    return {};
}

result<void> prepared_request::translate(std::string_view chat) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    context_.created = std::chrono::duration_cast<std::chrono::seconds>(now).count();
    result<translated_request> made = translation_->request(chat, context_);
    if (!made) {
        return made.error();
    }
    translated_ = std::move(*made);
    path_ = translated_.path;
    fields_ += translated_.extra_headers;
    body_.add(translated_.body);
    return {};
}

void prepared_request::prepare_plain(const route_target& target, const chat_request& request, std::string_view body,
                                     plain_endpoint endpoint) {
    way_ = endpoint == plain_endpoint::responses ? way::responses : way::as_it_is;
    translation_ = nullptr;
    translated_ = {};
    fields_.clear();
    strict_tools_ = {};
    params_ = {.stream = request.stream};
    path_ = path_of(endpoint);
    body_ = splice_body(body, request, target.upstream_model, false, scratch_);
}

std::unique_ptr<answer_translator> prepared_request::translator() const {
    switch (way_) {
        case way::as_it_is:
            return nullptr;
        case way::translated:
            if (!strict_tools_.empty()) {
                return std::make_unique<strict_answer>(translation_->answer(client_body_, context_), strict_tools_);
            }
            return translation_->answer(client_body_, context_);
        case way::responses:
            return std::make_unique<responses_answer>();
        case way::messages:
        case way::count:
            return std::make_unique<anthropic_passage>(way_ == way::messages);
        case way::to_messages:
            break;
    }
    return std::make_unique<messages_answer>(
        context_.answer_model, translation_ == nullptr ? nullptr : translation_->answer(client_body_, context_));
}

}  // namespace concurred::upstream
