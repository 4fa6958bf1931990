#pragma once

#include "upstream/stream_meter.hpp"

#include <cstring>
#include <functional>
#include <string>
#include <string_view>

namespace concurred::test {

/// What a meter forwarded and saw of one stream.
struct meter_outcome {
    std::string forwarded;
    upstream::stream_meter meter;
};

/// Sends `stream` through a meter the way the relay does: what is held stays at the front of the buffer, and what is
/// read next goes behind it.
/// \param next  size of the next read, at least 1; asked for each read
inline meter_outcome run_meter(std::string_view stream, upstream::usage_events mode,
                               const std::function<std::size_t()>& next,
                               std::size_t hold_limit = upstream::stream_meter::default_hold_limit) {
    meter_outcome out{{}, upstream::stream_meter(mode, hold_limit)};
    std::string buffer;
    while (!stream.empty()) {
        const std::string_view read = stream.substr(0, next());
        buffer += read;
        stream.remove_prefix(read.size());
        const auto split = out.meter.feed(buffer);
        out.forwarded.append(buffer, 0, split.forward);
        buffer.erase(0, buffer.size() - split.hold);
    }
    const auto split = out.meter.finish(buffer);
    out.forwarded.append(buffer, 0, split.forward);
    return out;
}

/// Everything a meter saw, as one text to compare.
inline std::string observations(const upstream::stream_meter& m) {
    std::string out = "done " + std::to_string(m.done()) + ", finished " + std::to_string(m.finished()) + ", content " +
                      std::to_string(m.content_seen()) + ", bytes " + std::to_string(m.output_bytes()) + ", error '" +
                      std::string(m.error_event()) + "' '" + std::string(m.error_message()) + "' '" +
                      std::string(m.error_code()) + "', usage";
    if (const auto& u = m.usage()) {
        for (const auto count : {u->prompt, u->cache_read, u->cache_write, u->completion, u->reasoning}) {
            out += ' ' + std::to_string(count);
        }
    }
    return out;
}

}  // namespace concurred::test
