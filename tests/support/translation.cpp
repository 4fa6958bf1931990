#include "tests/support/translation.hpp"

#include <doctest/doctest.h>
#include <boost/json.hpp>

#include <set>

namespace concurred::test {

namespace json = boost::json;

translation translate_stream(upstream::answer_translator& translator, std::string_view stream,
                             const std::function<std::size_t()>& next) {
    translation out;
    while (!stream.empty()) {
        const std::string piece(stream.substr(0, next()));  // a copy: views into old pieces must not be kept
        translator.feed(piece, out.text);
        stream.remove_prefix(piece.size());
    }
    translator.finish(out.text);
    out.content_seen = translator.content_seen();
    out.done = translator.done();
    out.error = translator.error_event();
    out.usage = translator.usage();
    out.octets = translator.output_octets();
    return out;
}

translation translate_stream(upstream::answer_translator& translator, std::string_view stream) {
    return translate_stream(translator, stream, [&] { return stream.size(); });
}

std::vector<json::value> events_of(std::string_view stream) {
    std::vector<json::value> events;
    while (!stream.empty()) {
        const std::size_t end = stream.find("\n\n");
        REQUIRE(end != std::string_view::npos);
        std::string_view event = stream.substr(0, end);
        stream.remove_prefix(end + 2);
        while (stream.starts_with('\n')) {
            stream.remove_prefix(1);
        }
        REQUIRE(event.starts_with("data: "));
        event.remove_prefix(6);
        REQUIRE(event.find('\n') == std::string_view::npos);
        if (event == "[DONE]") {
            events.emplace_back("[DONE]");
            continue;
        }
        boost::system::error_code ec;
        events.push_back(json::parse(json::string_view(event.data(), event.size()), ec));
        REQUIRE_MESSAGE(!ec, std::string(event));
    }
    return events;
}

void mask_own(json::value& answer) {
    if (!answer.is_object()) {
        return;
    }
    json::object& whole = answer.as_object();
    if (whole.contains("created")) {
        whole["created"] = 0;
    }
    std::set<std::string> ids;
    const auto mask_calls = [&ids](json::value& message) {
        if (json::value* const calls = message.as_object().if_contains("tool_calls")) {
            for (json::value& call : calls->as_array()) {
                json::string& id = call.at("id").as_string();
                CHECK(id.starts_with("call_"));
                CHECK(ids.insert(std::string(id)).second);
                id = "call_masked";
            }
        }
    };
    if (json::value* const choices = whole.if_contains("choices")) {
        for (json::value& choice : choices->as_array()) {
            for (const char* const name : {"message", "delta"}) {
                if (json::value* const message = choice.as_object().if_contains(name)) {
                    mask_calls(*message);
                }
            }
        }
    }
}

void check_stream(std::string_view translated, std::string_view expected, bool mask) {
    std::vector<json::value> ours = events_of(translated);
    std::vector<json::value> theirs = events_of(expected);
    CHECK(ours.size() == theirs.size());
    for (std::size_t i = 0; i != std::min(ours.size(), theirs.size()); ++i) {
        if (mask) {
            mask_own(ours[i]);
            mask_own(theirs[i]);
        }
        INFO("event " << i);
        const bool same = ours[i] == theirs[i];
        CHECK_MESSAGE(same, json::serialize(ours[i]) << "\n  expected\n" << json::serialize(theirs[i]));
    }
}

void check_cuts(const std::function<std::unique_ptr<upstream::answer_translator>()>& make, std::string_view stream) {
    const translation whole = translate_stream(*make(), stream);
    for (std::size_t cut = 1; cut < stream.size(); ++cut) {
        bool first = true;
        const auto next = [&] { return std::exchange(first, false) ? cut : stream.size(); };
        if (!(translate_stream(*make(), stream, next) == whole)) {
            FAIL_CHECK("cut at " << cut);
            return;
        }
    }
    for (const std::size_t size : {1, 2, 3, 7}) {
        const bool same = translate_stream(*make(), stream, [&] { return size; }) == whole;
        CHECK_MESSAGE(same, "in pieces of " << size);
    }
}

}  // namespace concurred::test
