#include "bench/mock_responder.hpp"

#include "bench/mock_control.hpp"
#include "bench/mock_head.hpp"

#include <algorithm>
#include <utility>

namespace concurred::bench {
namespace {

bool good_key(std::string_view key) noexcept {
    return !key.empty() && key != "bad" && key != "sk-bad";
}

}  // namespace

mock_responder::mock_responder(const mock_options& options, mock_board& board, mock_ledger& ledger,
                               std::string base_url)
    : options_(options),
      board_(board),
      ledger_(ledger),
      cache_(options.defaults, options.traces, std::move(base_url)) {}

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
    const mock_dialect& dialect = mock_dialect_of(request);
    stamp_.set_number(response.number);
    if (request.method == "POST" && dialect.claims(request.path) && good_key(dialect.key_of(request))) {
        chat(dialect, request, response);
    } else {
        response.text = direct(dialect, request);
    }
    return response;
}

std::string mock_responder::failure(const mock_dialect& dialect, const mock_failure& failure, bool close) const {
    std::string body;
    mock_template(dialect.failure_body(failure)).append_to(body, stamp_);
    return small_answer(stamp_, dialect.error_status(failure.status), "application/json", body, close,
                        dialect.fields(mock_settings{}));
}

std::string mock_responder::direct(const mock_dialect& dialect, const mock_request& request) {
    const bool close = !request.keep_alive;
    const std::string_view key = dialect.key_of(request);
    const auto document = dialect.document(request, options_.models);
    const bool claimed = dialect.claims(request.path);
    if (!document && !claimed) {
        const std::string target = std::string(request.method) + " " + std::string(request.path);
        return failure(dialect, {404, "Invalid URL (" + target + ")"}, close);
    }
    if (claimed && request.method != "POST") {
        return failure(
            dialect, {405, "Not allowed to " + std::string(request.method) + " on " + std::string(request.path) + "."},
            close);
    }
    if (!good_key(key)) {
        ledger_.add(mock_count::unauthorized);
        return failure(dialect, dialect.bad_key(key), close);
    }
    return small_answer(stamp_, 200, "application/json", *document, close, dialect.fields(mock_settings{}));
}

void mock_responder::chat(const mock_dialect& dialect, const mock_request& request, mock_response& response) {
    if (const std::uint64_t epoch = board_.epoch(); epoch != epoch_) {
        epoch_ = epoch;
        cache_.clear();
    }
    const bool close = !request.keep_alive;
    mock_call call = dialect.read(request);
    if (!call.valid) {
        response.text =
            failure(dialect, {400, "We could not parse the JSON body of your request, or it names no model."}, close);
        return;
    }
    mock_recipe& recipe = cache_.recipe(dialect, request.spec, dialect.key_of(request), call.model);
    if (recipe.wrong) {
        response.text = failure(dialect, {400, *recipe.wrong, "mock_setting"}, close);
        return;
    }
    const mock_dialect& speaks = *recipe.dialect;
    if (&speaks != &dialect) {
        call = speaks.read(request);
    }
    if (recipe.settings.strict || (speaks.strict() && !recipe.settings.lenient)) {
        if (const auto wrong = speaks.check(request, call)) {
            ledger_.add_violation({response.number, std::string(speaks.name()), wrong->message});
            response.text = failure(speaks, *wrong, close);
            return;
        }
    }
    const mock_settings& settings = recipe.next();
    mock_order order;
    order.prompt_tokens = static_cast<std::uint32_t>(std::clamp<std::size_t>(request.body.size() / 4, 1, UINT32_MAX));
    order.max_tokens = call.max_tokens;
    order.shape = call.shape;
    order.thoughts = call.thoughts;
    order.stream = call.stream;
    order.include_usage = call.include_usage;
    order.after_tool = settings.tool > 0 && speaks.ends_with_tool_result(call.messages);
    order.close = close;
    order.http_1_0 = request.http_1_0;
    const bool echo = settings.echo || settings.tool_echo;
    response.answer =
        cache_.answer(recipe, settings, order, echo ? speaks.last_user_text(call.messages) : std::string{});
}

std::string mock_responder::refuse(unsigned status, std::time_t now) {
    set_time(now);
    ledger_.add(mock_count::malformed);
    return failure(openai_mock_dialect(), {status, "This is not an HTTP request the mock provider accepts."}, true);
}

}  // namespace concurred::bench
