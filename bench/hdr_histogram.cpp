#include "bench/hdr_histogram.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <cmath>

namespace concurred::bench {
namespace {

void append_big_endian(std::string& out, std::uint64_t value, int bytes) {
    for (int i = bytes - 1; i >= 0; --i) {
        out.push_back(static_cast<char>(value >> (8 * i)));
    }
}

/// ZigZag and LEB128 with 64 bits in nine bytes at most, as version 2 of the encoding has it.
void append_zigzag(std::string& out, std::int64_t value) {
    auto bits = (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
    for (int i = 0; i < 8 && bits >= 0x80; ++i) {
        out.push_back(static_cast<char>(bits | 0x80));
        bits >>= 7;
    }
    out.push_back(static_cast<char>(bits));
}

std::string base64(const std::string& bytes) {
    std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
    const int size =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                        reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    out.resize(static_cast<std::size_t>(size));
    return out;
}

}  // namespace

void hdr_histogram::record(std::int64_t value, std::uint64_t times) {
    value = std::clamp<std::int64_t>(value, 0, highest);
    const std::size_t place = place_of(value);
    if (place >= counts_.size()) {
        counts_.resize(place + 1);
    }
    counts_[place] += times;
    min_ = count_ == 0 ? value : std::min(min_, value);
    max_ = std::max(max_, value);
    count_ += times;
    sum_ += static_cast<double>(value) * static_cast<double>(times);
}

void hdr_histogram::merge(const hdr_histogram& other) {
    if (other.count_ == 0) {
        return;
    }
    counts_.resize(std::max(counts_.size(), other.counts_.size()));
    for (std::size_t i = 0; i < other.counts_.size(); ++i) {
        counts_[i] += other.counts_[i];
    }
    min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
    max_ = std::max(max_, other.max_);
    count_ += other.count_;
    sum_ += other.sum_;
}

double hdr_histogram::mean() const noexcept {
    return count_ == 0 ? 0 : sum_ / static_cast<double>(count_);
}

/// The largest value that is counted in this place.
std::int64_t hdr_histogram::last_of(std::size_t place) noexcept {
    const auto at = static_cast<std::int64_t>(place);
    const std::int64_t shift = std::max<std::int64_t>((at >> half_bits) - 1, 0);
    return ((at - (shift << half_bits) + 1) << shift) - 1;
}

std::int64_t hdr_histogram::percentile(double percent) const noexcept {
    const double share = std::clamp(percent, 0.0, 100.0) / 100 * static_cast<double>(count_);
    const auto wanted = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(share - 1e-9)));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
        seen += counts_[i];
        if (seen >= wanted) {
            return std::min(last_of(i), max_);
        }
    }
    return max();
}

std::uint64_t hdr_histogram::count_up_to(std::int64_t value) const noexcept {
    std::uint64_t seen = 0;
    if (value >= 0) {
        const std::size_t end = std::min(counts_.size(), place_of(std::min(value, highest)) + 1);
        for (std::size_t i = 0; i < end; ++i) {
            seen += counts_[i];
        }
    }
    return seen;
}

std::string hdr_histogram::encoded() const {
    constexpr std::uint64_t cookie = 0x1c849303 | 0x10;
    std::string payload;
    for (std::size_t i = 0; i < counts_.size();) {
        if (counts_[i] != 0) {
            append_zigzag(payload, static_cast<std::int64_t>(counts_[i++]));
            continue;
        }
        const std::size_t from = i;
        while (i < counts_.size() && counts_[i] == 0) {
            ++i;
        }
        append_zigzag(payload, -static_cast<std::int64_t>(i - from));
    }
    std::string out;
    append_big_endian(out, cookie, 4);
    append_big_endian(out, payload.size(), 4);
    append_big_endian(out, 0, 4);  // offset of the index
    append_big_endian(out, 3, 4);  // significant digits
    append_big_endian(out, 1, 8);  // lowest value that is told from 0
    append_big_endian(out, static_cast<std::uint64_t>(highest), 8);
    append_big_endian(out, std::bit_cast<std::uint64_t>(1.0), 8);  // ratio to floating-point values
    return base64(out + payload);
}

}  // namespace concurred::bench
