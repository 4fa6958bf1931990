#pragma once

#include "bench/mock_schema.hpp"

namespace concurred::bench {

/// Google's generateContent: type `Request`. Source: the published types of its SDK, by the reference of providers,
/// section 4.2.
[[nodiscard]] const mock_schema& gemini_schema();

}  // namespace concurred::bench
