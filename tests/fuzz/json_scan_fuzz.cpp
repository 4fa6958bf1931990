// sources: gateway/http/json_scan.cpp gateway/http/json_string.cpp
// The scanner must accept exactly what Boost.JSON's strict parser accepts. The one difference: Boost refuses numbers
// whose exponent does not fit an int, which RFC 8259 allows.

#include "gateway/http/json_scan.hpp"
#include "gateway/http/json_string.hpp"

#include <boost/json.hpp>

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

using namespace concurred;

namespace {

void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

void check_reader(std::string_view text, const std::optional<http::json_error>& error) {
    http::json_reader reader(text);
    std::size_t last = 0;
    while (const http::json_member* m = reader.next()) {
        require(m->begin >= last && m->begin < m->end && m->end <= text.size());
        require(text.substr(0, m->end).ends_with(m->value));
        require(!http::check_json(m->value).has_value());
        require(m->key_escaped == (m->key.find('\\') != std::string_view::npos));
        if (m->kind == http::json_kind::string) {
            const auto decoded = http::json_unquote(m->value);
            require(decoded.has_value() && http::json_string_equals(m->value, *decoded));
            std::string written;
            http::append_json_string(written, *decoded);
            require(http::json_string_equals(written, *decoded));
            require(http::json_unescaped_size(m->value.substr(1, m->value.size() - 2)) == decoded->size());
        }
        last = m->end;
    }
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    if (first != std::string_view::npos && (text[first] == '{' || text[first] == '[')) {
        require(reader.ok() == !error.has_value());
        require(reader.ok() || (reader.error().offset == error->offset && reader.error().reason == error->reason));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto error = http::check_json(text);

    boost::json::parse_options strict;
    strict.max_depth = http::max_json_depth;
    boost::json::stream_parser parser({}, strict);
    boost::system::error_code ec;
    parser.write(text.data(), text.size(), ec);
    if (!ec) {
        parser.finish(ec);
    }
    require(error.has_value() == ec.failed() || (!error.has_value() && ec == boost::json::error::exponent_overflow));
    if (error) {
        require(error->offset <= text.size());
        (void)http::describe(text, *error);
    }
    check_reader(text, error);
    return 0;
}
