#pragma once

#include "upstream/dialect.hpp"

#include <boost/json/value.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace concurred::test {

/// Everything that a translator said and noted of one stream.
struct translation {
    std::string text;  ///< what goes to the client
    bool content_seen = false;
    bool done = false;
    std::string error;
    std::optional<base::token_counts> usage;
    std::uint64_t octets = 0;

    friend bool operator==(const translation& a, const translation& b) {
        const auto figures = [](const translation& t) {
            const auto u = t.usage.value_or(base::token_counts{});
            return std::vector{u.prompt, u.cache_read, u.cache_write, u.completion, u.reasoning, t.octets};
        };
        return a.text == b.text && a.content_seen == b.content_seen && a.done == b.done && a.error == b.error &&
               a.usage.has_value() == b.usage.has_value() && figures(a) == figures(b);
    }
};

/// Feeds `stream` in pieces and ends it.
/// @param next size of the next piece, at least 1
[[nodiscard]] translation translate_stream(upstream::answer_translator& translator, std::string_view stream,
                                           const std::function<std::size_t()>& next);
/// The same in one piece.
[[nodiscard]] translation translate_stream(upstream::answer_translator& translator, std::string_view stream);

/// The events of a stream for clients, parsed; `[DONE]` as a string.
[[nodiscard]] std::vector<boost::json::value> events_of(std::string_view stream);

/// Replaces what differs from run to run: `created`, where the provider has none, and ids of tool calls that the
/// gateway makes. Fails the test when two calls have the same id.
void mask_own(boost::json::value& answer);

/// Checks that a translated stream says what the expected one says, event by event, as JSON.
/// @param mask replace what the gateway makes itself
void check_stream(std::string_view translated, std::string_view expected, bool mask);

/// Checks that cutting the stream at every byte, and into pieces of 1, 2, 3, 7 bytes, gives the same.
void check_cuts(const std::function<std::unique_ptr<upstream::answer_translator>()>& make, std::string_view stream);

}  // namespace concurred::test
