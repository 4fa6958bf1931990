#pragma once

#include <boost/json/object.hpp>

#include <string>

namespace concurred::bench {

/// The most important figures of a report, for a terminal.
[[nodiscard]] std::string report_text(const boost::json::object& report);

/// Three digits: "312 us", "4.21 ms", "1.5 s"
[[nodiscard]] std::string time_text(double us);

}  // namespace concurred::bench
