#pragma once

#include <boost/json/object.hpp>

namespace concurred::bench {

/// What a reader must know of the machine to make sense of the figures: processor, cores, kernel, clock governor,
/// memory, load by others, version of this program.
[[nodiscard]] boost::json::object machine_card();

}  // namespace concurred::bench
