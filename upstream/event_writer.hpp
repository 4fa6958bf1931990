#pragma once

#include "upstream/json_parts.hpp"
#include "upstream/json_writer.hpp"

#include <string>
#include <string_view>

namespace concurred::upstream {

/// Adds a member whose value is valid JSON, without the white space between its tokens.
inline void append_compact_member(json_writer& w, std::string_view name, std::string_view json) {
    w.key(name);
    append_compact(w.out(), json);
}

/// Appends an event with a name, whose object repeats the name as its `type`.
/// @param write adds the other members: `write(json_writer&)`
template <class Write>
void append_named_event(std::string& out, std::string_view type, Write&& write) {
    out.append("event: ").append(type).append("\ndata: ");
    json_writer w(out);
    w.open('{').text_member("type", type);
    write(w);
    w.close('}');
    out += "\n\n";
}

}  // namespace concurred::upstream
