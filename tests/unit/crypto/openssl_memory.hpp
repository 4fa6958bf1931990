#pragma once

#include <cstddef>

/// Watches the memory OpenSSL takes and gives back, for tests about allocations and about wiping. Installed before
/// main.
namespace concurred::crypto::openssl_memory {

/// False when OpenSSL had allocated before the hooks could be set: nothing is seen then.
[[nodiscard]] bool watching() noexcept;

/// Allocations and reallocations since the start of the process, by all threads.
[[nodiscard]] std::size_t allocations() noexcept;

/// Remembers one block; `wiped` tells about it once it has been freed.
/// @param block the start of an allocation. @param size its length in bytes.
void watch(const void* block, std::size_t size) noexcept;

enum class fate { still_held, freed_as_it_was, freed_wiped };

/// What became of the block given to `watch`.
[[nodiscard]] fate fate_of_watched() noexcept;

}  // namespace concurred::crypto::openssl_memory
