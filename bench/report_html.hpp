#pragma once

#include <boost/json/object.hpp>

#include <string>

namespace concurred::bench {

/// The report as one page: no script, nothing loaded from elsewhere, for small and large screens, light and dark.
[[nodiscard]] std::string report_html(const boost::json::object& report);

}  // namespace concurred::bench
