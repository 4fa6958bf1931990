#include "gateway/http/sse_frame.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace concurred::http;

namespace {

/// The data of all events of a stream, fed in pieces of `step` bytes.
std::vector<std::string> data_of(std::string_view stream, std::size_t step) {
    std::vector<std::string> found;
    sse_framer framer;
    std::string event;
    std::string scratch;
    for (std::size_t at = 0; at < stream.size();) {
        const char* const p = stream.data() + at;
        const char* const end = stream.data() + std::min(stream.size(), at + step);
        if (event.empty() && framer.takes_line_feed(*p)) {
            ++at;
            continue;
        }
        const char* const stop = framer.find_end(p, end);
        event.append(p, stop == nullptr ? end : stop);
        at = static_cast<std::size_t>((stop == nullptr ? end : stop) - stream.data());
        if (stop != nullptr) {
            if (const auto data = sse_data(event, scratch)) {
                if (framer.lines() == 1) {
                    CHECK(sse_line_data(event) == data);
                }
                found.emplace_back(*data);
            }
            event.clear();
        }
    }
    return found;
}

}  // namespace

TEST_SUITE("http/sse_frame") {
    TEST_CASE("events are found with every line end and at every cut") {  // WHATWG HTML, 9.2.5
        struct row {
            std::string_view stream;
            std::vector<std::string> data;
        };
        const row rows[] = {
            {"data: a\n\ndata: b\n\n", {"a", "b"}},
            {"data: a\r\n\r\ndata: b\r\n\r\n", {"a", "b"}},
            {"data: a\r\rdata: b\r\r", {"a", "b"}},
            {"data: a\r\n\ndata: b\n\r\ndata: c\r\n\rdata: d\n\r", {"a", "b", "c", "d"}},
            {"data:a\n\ndata:  b\n\n", {"a", " b"}},
            {"data\n\ndata:\n\ndata: \n\n", {"", "", ""}},
            {"data: a\ndata: b\r\ndata:c\rdata\n\n", {"a\nb\nc\n"}},
            {": comment\n\nevent: x\nid: 1\nretry: 5\n\n", {}},
            {": comment\nevent: x\ndata: a\nid: 1\n\n", {"a"}},
            {"\n\n\ndata: a\n\n\n\n", {"a"}},
            {"database: x\ndata : y\n data: z\n\n", {}},
            {"data: a\n\ndata: unfinished\n", {"a"}},
        };
        for (const row& r : rows) {
            for (std::size_t step = 1; step <= r.stream.size(); ++step) {
                INFO(r.stream << " / " << step);
                CHECK(data_of(r.stream, step) == r.data);
            }
        }
    }
}
