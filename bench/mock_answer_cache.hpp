#pragma once

#include "bench/mock_answer.hpp"
#include "bench/mock_dialect.hpp"
#include "bench/mock_settings.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace concurred::bench {

/// The right to read one answer: the cache keeps it while it is leased.
class mock_answer_lease {
public:
    mock_answer_lease() = default;
    explicit mock_answer_lease(mock_answer& answer) noexcept : answer_(&answer) { ++answer.users; }
    mock_answer_lease(mock_answer_lease&& other) noexcept : answer_(std::exchange(other.answer_, nullptr)) {}
    mock_answer_lease& operator=(mock_answer_lease&& other) noexcept {
        std::swap(answer_, other.answer_);
        return *this;
    }
    ~mock_answer_lease() { reset(); }

    /// Gives the answer back.
    void reset() noexcept {
        if (answer_ != nullptr) {
            --answer_->users;
        }
        answer_ = nullptr;
    }
    [[nodiscard]] const mock_answer* operator->() const noexcept { return answer_; }
    explicit operator bool() const noexcept { return answer_ != nullptr; }

private:
    mock_answer* answer_ = nullptr;
};

/// Settings of one combination of dialect, header, key and model, and the answers built from them so far.
struct mock_recipe {
    const mock_dialect* dialect = nullptr;  ///< the one that settings choose, or that of the request
    const mock_trace* trace = nullptr;      ///< that settings choose
    std::string model;                      ///< as JSON text
    mock_settings settings;
    mock_settings spared;              ///< the settings of requests that `times` and `every` spare
    std::optional<std::string> wrong;  ///< why the settings cannot be used
    std::uint32_t seen = 0;            ///< requests
    std::uint32_t hit = 0;             ///< requests that got the faults
    std::vector<std::unique_ptr<mock_answer>> answers{};

    /// Counts one request and says whose settings it gets.
    [[nodiscard]] const mock_settings& next() noexcept;
};

/// Turns requests into prebuilt answers: what was asked before is found again without building it anew. One per thread.
class mock_answer_cache {
public:
    /// \param defaults settings of every request, valid text \param traces outlive the cache
    /// \param base_url `http://HOST:PORT` of this server
    mock_answer_cache(std::string_view defaults, const mock_traces& traces, std::string base_url);

    /// The settings of a request: `defaults`, then `header`, then the key's, then the model's.
    /// \param header text of the `x-mock` header \param key the credential \param model as JSON text
    /// \returns a reference that lives until the next call of `recipe` or `clear`, and as long as an answer made from
    ///          it is leased.
    [[nodiscard]] mock_recipe& recipe(const mock_dialect& dialect, std::string_view header, std::string_view key,
                                      std::string_view model);

    /// The answer for `order`. \param settings one of the two of `recipe` \param echo see `make_mock_answer`
    [[nodiscard]] mock_answer_lease answer(mock_recipe& recipe, const mock_settings& settings, const mock_order& order,
                                           std::string_view echo);

    /// Forgets everything that is not in use; the counts of `times` and `every` start afresh.
    void clear();

private:
    struct text_hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
    };

    static void choose_flavour(mock_recipe& recipe);

    mock_settings defaults_;
    const mock_traces& traces_;
    std::string base_url_;
    std::string key_;  // kept for its capacity
    std::unordered_map<std::string, std::unique_ptr<mock_recipe>, text_hash, std::equal_to<>> recipes_;
};

}  // namespace concurred::bench
