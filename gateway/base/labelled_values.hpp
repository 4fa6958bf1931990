#pragma once

#include "gateway/base/label_set.hpp"

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace concurred::base {

/// Counters or gauges that differ by `N` labels. Series bounded as in `label_set` and `series_index`.
template <std::size_t N>
class labelled_values {
    static_assert(N >= 1 && N <= 4, "the numbers of the labels are packed into 64 bits");

public:
    using labels = std::array<std::string_view, N>;

    /// \param limit   values of each label
    /// \param series  combinations
    explicit labelled_values(std::size_t limit, std::size_t series)
        : sets_(make_sets(limit, std::make_index_sequence<N>())), series_(series), values_(1) {}

    /// Counts `amount`; allocates only for a combination that is new.
    void add(const labels& texts, std::int64_t amount = 1) { at(texts) += amount; }
    /// Sets a gauge.
    void set(const labels& texts, std::int64_t value) { at(texts) = value; }

    void merge(const labelled_values& other) {
        other.for_each([this](const labels& texts, std::int64_t value) { add(texts, value); });
    }

    /// Calls `visit(labels, value)` for each series; not for the overflow series while it is zero.
    template <class Visitor>
    void for_each(Visitor&& visit) const {
        for (std::size_t i = 0; i < values_.size(); ++i) {
            if (i == 0 && values_[0] == 0) {
                continue;
            }
            labels texts;
            for (std::size_t n = 0; n < N; ++n) {
                texts[n] = sets_[n].text(static_cast<std::uint16_t>(series_.key(i) >> (16 * n)));
            }
            visit(texts, values_[i]);
        }
    }

private:
    template <std::size_t... I>
    static std::array<label_set, N> make_sets(std::size_t limit, std::index_sequence<I...>) {
        return {((void)I, label_set(limit))...};
    }

    std::int64_t& at(const labels& texts) {
        std::uint64_t key = 0;
        for (std::size_t n = 0; n < N; ++n) {
            key |= std::uint64_t{sets_[n].intern(texts[n])} << (16 * n);
        }
        const std::size_t index = series_.intern(key);
        if (index == values_.size()) {
            values_.push_back(0);
        }
        return values_[index];
    }

    std::array<label_set, N> sets_;
    series_index series_;
    std::vector<std::int64_t> values_;
};

}  // namespace concurred::base
