#pragma once

#include "gateway/base/fixed_text.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace concurred::storage {

static_assert(std::endian::native == std::endian::little, "numbers are written as they lie in memory");

/// Writes numbers and texts back to back into memory that is large enough.
class octet_writer {
public:
    explicit octet_writer(std::uint8_t* at) noexcept : at_(at) {}

    template <class Integer>
    void number(Integer value) noexcept {
        std::memcpy(at_, &value, sizeof(value));
        at_ += sizeof(value);
    }
    void bytes(std::span<const std::uint8_t> value) noexcept {
        std::memcpy(at_, value.data(), value.size());
        at_ += value.size();
    }
    template <std::size_t N>
    void text(const base::fixed_text<N>& value) noexcept {
        static_assert(N <= 255);
        const std::string_view view = value.view();
        number(static_cast<std::uint8_t>(view.size()));
        std::memcpy(at_, view.data(), view.size());
        at_ += view.size();
    }
    [[nodiscard]] std::uint8_t* at() const noexcept { return at_; }

private:
    std::uint8_t* at_;
};

/// Reads what `octet_writer` wrote, and trusts none of it: what is missing is not read, and makes it not `good`.
class octet_reader {
public:
    explicit octet_reader(std::span<const std::uint8_t> bytes) noexcept : left_(bytes) {}

    template <class Integer>
    void number(Integer& value) noexcept {
        if (has(sizeof(value))) {
            std::memcpy(&value, left_.data(), sizeof(value));
            left_ = left_.subspan(sizeof(value));
        }
    }
    void bytes(std::span<std::uint8_t> out) noexcept {
        if (has(out.size())) {
            std::memcpy(out.data(), left_.data(), out.size());
            left_ = left_.subspan(out.size());
        }
    }
    template <std::size_t N>
    void text(base::fixed_text<N>& value) noexcept {
        std::uint8_t size = 0;
        number(size);
        if (size > N || !has(size)) {
            good_ = false;
            return;
        }
        value = std::string_view(reinterpret_cast<const char*>(left_.data()), size);
        left_ = left_.subspan(size);
    }
    [[nodiscard]] bool good() const noexcept { return good_; }
    [[nodiscard]] bool good_to_the_end() const noexcept { return good_ && left_.empty(); }

private:
    bool has(std::size_t count) noexcept {
        good_ = good_ && left_.size() >= count;
        return good_;
    }

    std::span<const std::uint8_t> left_;
    bool good_ = true;
};

}  // namespace concurred::storage
