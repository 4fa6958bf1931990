#pragma once

#include <map>
#include <string>
#include <string_view>

namespace concurred::base {

/// A string value after its references were replaced.
struct resolved_text {
    std::string text;
    bool has_references = false;
    std::string fault;  ///< what is wrong; empty: `text` is the value. Never holds a value, only names
};

/// Replaces `${env:NAME}`, `${env:NAME:-default}` (the default is used when NAME is not set or empty) and
/// `${file:PATH}` (the file's content without one line end; a relative path begins at `folder`) anywhere in `text`.
/// What is put in is not searched again. `$${` stands for `${`. Reads files: for start-up and reload only.
[[nodiscard]] resolved_text resolve_references(std::string_view text,
                                               const std::map<std::string, std::string>& environment,
                                               const std::string& folder);

/// Reads a file that holds one value, as `${file:PATH}` does. `fault` is the reason alone, without the path.
[[nodiscard]] resolved_text read_value_file(const std::string& path);

}  // namespace concurred::base
