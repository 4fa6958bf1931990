#pragma once

#include "gateway/base/metrics.hpp"
#include "gateway/base/process_info.hpp"

#include <string>
#include <string_view>

namespace concurred::base {

/// Content type of the page.
inline constexpr std::string_view metrics_content_type = "text/plain; version=0.0.4; charset=utf-8";

/// The page of the metrics endpoint in Prometheus' text format 0.0.4.
/// \param all  the merged numbers of all shards
/// Source: prometheus.io/docs/instrumenting/exposition_formats.
[[nodiscard]] std::string render_prometheus(const metrics& all, const process_info& process);

}  // namespace concurred::base
