#pragma once

// clang 14, the fuzzers' compiler, cannot compile libstdc++'s std::source_location. The fuzz build includes this file
// before everything else (-include).

#include <version>

#if !defined(__cpp_lib_source_location)
#include <cstdint>

namespace std {  // NOLINT(cert-dcl58-cpp)

/// A stand-in with the members that the gateway uses.
struct source_location {
    static constexpr source_location current(const char* file = __builtin_FILE(),
                                             const char* function = __builtin_FUNCTION(),
                                             std::uint_least32_t line = __builtin_LINE()) noexcept {
        return {file, function, line};
    }
    [[nodiscard]] constexpr const char* file_name() const noexcept { return file; }
    [[nodiscard]] constexpr const char* function_name() const noexcept { return function; }
    [[nodiscard]] constexpr std::uint_least32_t line() const noexcept { return line_number; }

    const char* file = "";
    const char* function = "";
    std::uint_least32_t line_number = 0;
};

}  // namespace std
#endif
