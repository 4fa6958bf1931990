// sources: upstream/stream_meter.cpp upstream/json_usage.cpp upstream/usage_extract.cpp upstream/chunk_facts.cpp
// sources: upstream/key_finder.cpp upstream/error_fields.cpp upstream/google_error.cpp upstream/json_parts.cpp
// sources: gateway/http/json_scan.cpp gateway/http/json_string.cpp gateway/http/sse_frame.cpp
// sources: gateway/base/json_text.cpp
//
// However a stream is cut, the meter forwards the same bytes and sees the same. Without stripping, it forwards the
// stream.

#include "tests/support/meter_run.hpp"
#include "upstream/json_usage.hpp"

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>

using namespace concurred;

namespace {

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

std::uint64_t total_of(const std::optional<base::token_counts>& usage) {
    return usage ? usage->total() + 1 : 0;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) {
        return 0;
    }
    const std::string_view stream(reinterpret_cast<const char*>(data) + 2, size - 2);
    const auto mode = (data[0] & 1) != 0 ? upstream::usage_events::strip : upstream::usage_events::keep;
    const std::size_t limit = (data[0] & 2) != 0 ? data[0] : upstream::stream_meter::default_hold_limit;

    const auto whole = test::run_meter(
        stream, mode, [&] { return stream.size(); }, limit);
    require(mode == upstream::usage_events::strip || whole.forwarded == stream);
    require(whole.forwarded.size() <= stream.size());
    const std::string seen = test::observations(whole.meter);

    std::minstd_rand random(data[1] + 1U);
    std::geometric_distribution<std::size_t> sizes((data[0] & 4) != 0 ? 0.5 : 0.03);
    const auto cut = test::run_meter(
        stream, mode, [&] { return 1 + sizes(random); }, limit);
    require(cut.forwarded == whole.forwarded);
    require(test::observations(cut.meter) == seen);

    upstream::json_usage_scanner at_once;
    at_once.feed(stream);
    upstream::json_usage_scanner in_parts;
    for (std::string_view rest = stream; !rest.empty();) {
        const std::string_view part = rest.substr(0, 1 + sizes(random));
        in_parts.feed(part);
        rest.remove_prefix(part.size());
    }
    require(total_of(at_once.usage()) == total_of(in_parts.usage()));
    return 0;
}
