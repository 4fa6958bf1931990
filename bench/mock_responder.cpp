#include "bench/mock_responder.hpp"

#include "bench/mock_control.hpp"
#include "bench/mock_head.hpp"
#include "bench/mock_json.hpp"
#include "bench/mock_openai_errors.hpp"

#include <algorithm>
#include <utility>

namespace concurred::bench {
namespace {

std::string refusal(const mock_stamp& stamp, unsigned status, std::string_view message, std::string_view code,
                    bool close) {
    return small_answer(stamp, status, "application/json", openai_error(message, "invalid_request_error", code), close);
}

bool good_key(std::string_view key) noexcept {
    return !key.empty() && key != "bad" && key != "sk-bad";
}

std::string key_refusal(const mock_stamp& stamp, const mock_request& request) {
    if (request.key.empty()) {
        return refusal(stamp, 401,
                       "You didn't provide an API key. You need to provide your API key in an Authorization header "
                       "using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
                       "", !request.keep_alive);
    }
    return refusal(stamp, 401,
                   "Incorrect API key provided: " + std::string(request.key) +
                       ". You can find your API key at https://platform.openai.com/account/api-keys.",
                   "invalid_api_key", !request.keep_alive);
}

const mock_dialect* dialect_for(const mock_request& request) noexcept {
    if (request.method != "POST") {
        return nullptr;
    }
    const auto table = mock_dialects();
    const auto found = std::ranges::find_if(table, [&](const auto* one) { return one->claims(request.path); });
    return found == table.end() ? nullptr : *found;
}

}  // namespace

mock_responder::mock_responder(const mock_options& options, mock_board& board, mock_ledger& ledger,
                               std::string base_url)
    : options_(options), board_(board), ledger_(ledger), cache_(options.defaults, std::move(base_url)) {}

void mock_responder::set_time(std::time_t now) {
    if (now != stamped_) {
        stamp_.set_time(now);
        stamped_ = now;
    }
}

mock_response mock_responder::respond(const mock_request& request, std::time_t now) {
    set_time(now);
    mock_response response;
    if (is_mock_control(request)) {
        response.text = answer_mock_control(request, board_, ledger_, stamp_);
        return response;
    }
    response.counted = true;
    response.number = board_.next_number();
    ledger_.add_request(response.number, request, options_.keep_bodies, options_.hash_bodies);
    const mock_dialect* dialect = dialect_for(request);
    stamp_.set_number(response.number);
    if (dialect != nullptr && good_key(request.key)) {
        chat(*dialect, request, response);
    } else {
        response.text = direct(request);
    }
    return response;
}

std::string mock_responder::direct(const mock_request& request) {
    const bool close = !request.keep_alive;
    const bool chat_path =
        std::ranges::any_of(mock_dialects(), [&](const auto* one) { return one->claims(request.path); });
    const bool models_path = request.path.ends_with("/models");
    if (!chat_path && !models_path) {
        return refusal(stamp_, 404,
                       "Invalid URL (" + std::string(request.method) + " " + std::string(request.path) + ")", "",
                       close);
    }
    if (request.method != (chat_path ? "POST" : "GET")) {
        return refusal(stamp_, 405,
                       "Not allowed to " + std::string(request.method) + " on " + std::string(request.path) + ".", "",
                       close);
    }
    if (!good_key(request.key)) {
        ledger_.add(mock_count::unauthorized);
        return key_refusal(stamp_, request);
    }
    return small_answer(stamp_, 200, "application/json", models(), close);
}

void mock_responder::chat(const mock_dialect& dialect, const mock_request& request, mock_response& response) {
    if (const std::uint64_t epoch = board_.epoch(); epoch != epoch_) {
        epoch_ = epoch;
        cache_.clear();
    }
    const mock_call call = dialect.read(request.body);
    if (!call.valid) {
        response.text = refusal(stamp_, 400, "We could not parse the JSON body of your request, or it names no model.",
                                "", !request.keep_alive);
        return;
    }
    mock_recipe& recipe = cache_.recipe(dialect, request.spec, request.key, call.model);
    if (recipe.wrong) {
        response.text = refusal(stamp_, 400, *recipe.wrong, "mock_setting", !request.keep_alive);
        return;
    }
    const mock_settings& settings = recipe.next();
    mock_order order;
    order.prompt_tokens = static_cast<std::uint32_t>(std::clamp<std::size_t>(request.body.size() / 4, 1, UINT32_MAX));
    order.max_tokens = call.max_tokens;
    order.stream = call.stream;
    order.include_usage = call.include_usage;
    order.after_tool = settings.tool > 0 && dialect.ends_with_tool_result(call.messages);
    order.close = !request.keep_alive;
    order.http_1_0 = request.http_1_0;
    const std::string echo = settings.echo ? dialect.last_user_text(call.messages) : std::string{};
    response.answer = cache_.answer(dialect, recipe, settings, order, echo);
}

std::string mock_responder::refuse(unsigned status, std::time_t now) {
    set_time(now);
    ledger_.add(mock_count::malformed);
    return refusal(stamp_, status, "This is not an HTTP request the mock provider accepts.", "", true);
}

std::string mock_responder::models() const {
    std::string text = "{\"object\":\"list\",\"data\":[";
    const char* separator = "";
    for (const auto& model : options_.models) {
        text.append(separator).append("{\"id\":");
        json::append_quoted(text, model);
        text.append(",\"object\":\"model\",\"created\":1700000000,\"owned_by\":\"mock\"}");
        separator = ",";
    }
    return text.append("]}");
}

}  // namespace concurred::bench
