#pragma once

#include <boost/json/object.hpp>

#include <optional>
#include <string>

namespace concurred::bench {

/// The report as text, members in lines of their own down to the second level.
[[nodiscard]] std::string to_text(const boost::json::object& report);

/// Reads a report of the version that this program writes. \returns nothing, with `complaint` set, if it is none
[[nodiscard]] std::optional<boost::json::object> read_report(const std::string& file, std::string& complaint);

/// Writes a file anew. \returns whether all of it was written
[[nodiscard]] bool write_text(const std::string& file, const std::string& text);

}  // namespace concurred::bench
