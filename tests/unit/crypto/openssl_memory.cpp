#include "tests/unit/crypto/openssl_memory.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>

namespace concurred::crypto::openssl_memory {

namespace {

std::atomic<std::size_t> count{0};
std::atomic<const void*> watched{nullptr};
std::atomic<std::size_t> watched_size{0};
std::atomic<fate> watched_fate{fate::still_held};

void* take(std::size_t size, const char*, int) {
    ++count;
    return std::malloc(size);
}

void* retake(void* block, std::size_t size, const char*, int) {
    ++count;
    return std::realloc(block, size);
}

void give(void* block, const char*, int) {
    if (block != nullptr && block == watched.load()) {
        const auto* bytes = static_cast<const unsigned char*>(block);
        const bool zero = std::all_of(bytes, bytes + watched_size.load(), [](unsigned char b) { return b == 0; });
        watched_fate = zero ? fate::freed_wiped : fate::freed_as_it_was;
        watched = nullptr;
    }
    std::free(block);
}

// OpenSSL takes hooks only before its first allocation, so this cannot wait for a test to begin.
const bool installed = CRYPTO_set_mem_functions(take, retake, give) == 1;

}  // namespace

bool watching() noexcept {
    return installed;
}

std::size_t allocations() noexcept {
    return count;
}

void watch(const void* block, std::size_t size) noexcept {
    watched_fate = fate::still_held;
    watched_size = size;
    watched = block;
}

fate fate_of_watched() noexcept {
    return watched_fate;
}

}  // namespace concurred::crypto::openssl_memory
