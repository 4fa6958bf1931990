#include "gateway/http/error_body.hpp"

#include "gateway/http/json_scan.hpp"
#include "gateway/http/json_string.hpp"

#include <algorithm>

namespace concurred::http {

namespace {

void append_error(std::string& out, const base::error& e) {
    const base::errc_traits& traits = base::traits_of(e.code);
    out += R"({"error":{"code":)";
    append_json_string(out, e.upstream_code.empty() ? traits.code : std::string_view(e.upstream_code));
    out += R"(,"message":)";
    append_json_string(out, base::text_of(e));
    out += R"(,"type":)";
    append_json_string(out, e.upstream_type.empty() ? traits.type : std::string_view(e.upstream_type));
    out += R"(,"param":)";
    if (e.param.empty()) {
        out += "null";
    } else {
        append_json_string(out, e.param);
    }
    out += R"(,"details":)";
    const std::size_t details = out.size();
    out += is_json_object(e.details) ? std::string_view(e.details) : std::string_view("{}");
    // A line end is white space in JSON, but would cut an event in two.
    std::replace_if(
        out.begin() + static_cast<std::ptrdiff_t>(details), out.end(), [](char c) { return c == '\n' || c == '\r'; },
        ' ');
    out += "}}";
}

}  // namespace

std::string render_error(const base::error& e) {
    std::string out;
    append_error(out, e);
    return out;
}

std::string render_error_event(const base::error& e) {
    std::string out = "data: ";
    append_error(out, e);
    out += "\n\n";
    return out;
}

}  // namespace concurred::http
