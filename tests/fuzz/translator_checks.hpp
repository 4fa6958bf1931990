#pragma once

#include "gateway/http/json_scan.hpp"
#include "upstream/dialect.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace concurred::fuzz {

inline void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

/// Every event of a stream for clients of OpenAI's form is JSON or the end mark.
inline void check_events(std::string_view text) {
    constexpr std::string_view start = "data: ";
    while (!text.empty()) {
        const std::size_t end = text.find("\n\n");
        require(text.starts_with(start) && end != std::string_view::npos);
        const std::string_view data = text.substr(start.size(), end - start.size());
        require(data == "[DONE]" || http::is_json_object(data));
        text.remove_prefix(end + 2);
    }
}

using make_translator = std::function<std::unique_ptr<upstream::answer_translator>()>;

/// What a translator says of a stream in pieces of `step` octets.
inline std::string said_of(upstream::answer_translator& translator, std::string_view stream, std::size_t step) {
    std::string out;
    for (std::size_t at = 0; at < stream.size(); at += step) {
        translator.feed(stream.substr(at, step), out);
    }
    translator.finish(out);
    return out;
}

/// Checks that a stream says the same however it is cut. @return what it says
inline std::string check_cuts(const make_translator& make, std::string_view stream, std::size_t step) {
    const auto at_once = make();
    const auto in_pieces = make();
    std::string whole = said_of(*at_once, stream, stream.size() + 1);
    require(said_of(*in_pieces, stream, step) == whole);
    require(at_once->done() == in_pieces->done() && at_once->error_event() == in_pieces->error_event());
    require(at_once->output_octets() == in_pieces->output_octets());
    return whole;
}

/// Checks that a whole answer becomes JSON, or an error.
inline void check_whole(const make_translator& make, std::string_view body) {
    const auto made = make()->whole(body);
    require(!made || http::is_json_object(*made));
}

}  // namespace concurred::fuzz
