#pragma once

#include <sys/resource.h>

namespace concurred::bench {

/// Thousands of streams need more descriptors than the usual soft limit.
inline void raise_descriptor_limit() noexcept {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
    }
}

}  // namespace concurred::bench
