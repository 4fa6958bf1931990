#include "bench/mock_ledger.hpp"

#include "bench/mock_json.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <utility>

namespace concurred::bench {
namespace {

constexpr std::array<std::string_view, mock_ledger::counts> names{
    "requests",
    "completed",
    "aborted",
    "broken",
    "dropped_idle",
    "malformed",
    "unauthorized",
    "redirects_followed",
    "violations",
    "events_sent",
    "tokens_served",
    "tokens_wasted",
    "connections_accepted",
    "connections_closed",
};

std::string sha256_hex(std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) {
        return {};
    }
    std::string text;
    for (unsigned i = 0; i < size; ++i) {
        text += digits[digest[i] >> 4];
        text += digits[digest[i] & 15];
    }
    return text;
}

std::int64_t micros_between(base::steady_time from, base::steady_time to) noexcept {
    return base::micros(to) - base::micros(from);
}

void append_abort(std::string& out, const mock_abort& abort) {
    const std::int64_t age = micros_between(abort.started, abort.observed);
    const std::string fraction = std::to_string(1000 + age % 1000);
    out.append("{\"request\":").append(std::to_string(abort.request));
    out.append(",\"stage\":\"").append(abort.streaming ? "streaming" : "waiting");
    out.append("\",\"by\":\"").append(abort.by_reset ? "reset" : "close");
    out.append("\",\"events\":").append(std::to_string(abort.events));
    out.append(",\"tokens\":").append(std::to_string(abort.tokens));
    out.append(",\"ms\":").append(std::to_string(age / 1000)).append(".").append(fraction, 1);
    out.append(",\"abort_delay_us\":").append(std::to_string(micros_between(abort.observed, abort.ended)));
    out.append(",\"observed_monotonic_us\":").append(std::to_string(base::micros(abort.observed)));
    out.append(",\"observed_unix_ms\":").append(std::to_string(base::unix_millis(abort.observed_wall))).append("}");
}

void append_violation(std::string& out, const mock_violation& violation) {
    out.append("{\"request\":").append(std::to_string(violation.request)).append(",\"dialect\":");
    json::append_quoted(out, violation.dialect);
    json::append_quoted(out.append(",\"message\":"), violation.message);
    out.append("}");
}

}  // namespace

void mock_ledger::add_abort(const mock_abort& abort) {
    add(mock_count::aborted);
    add(mock_count::wasted, abort.tokens);
    const std::lock_guard guard(lists_);
    aborts_.push_back(abort);
    if (aborts_.size() > aborts_kept) {
        aborts_.pop_front();
    }
}

void mock_ledger::add_violation(const mock_violation& violation) {
    add(mock_count::violations);
    const std::lock_guard guard(lists_);
    violations_.push_back(violation);
    if (violations_.size() > violations_kept) {
        violations_.pop_front();
    }
}

void mock_ledger::add_request(std::uint64_t number, const mock_request& request, bool keep_body, bool hash_body) {
    add(mock_count::requests);
    std::string hash = hash_body ? sha256_hex(request.body) : std::string{};
    const std::lock_guard guard(lists_);
    mock_seen& seen = seen_[seen_count_++ % requests_kept];
    seen.number = number;
    seen.head.assign(request.head);
    seen.body.assign(keep_body ? request.body : std::string_view{});
    seen.body_size = request.body.size();
    seen.body_kept = keep_body;
    seen.body_sha256 = std::move(hash);
}

mock_ledger::totals mock_ledger::read() const noexcept {
    totals result{};
    for (std::size_t i = 0; i < counts; ++i) {
        result[i] = counters_[i].load(std::memory_order_relaxed);
    }
    return result;
}

std::deque<mock_abort> mock_ledger::aborts() const {
    const std::lock_guard guard(lists_);
    return aborts_;
}

std::deque<mock_violation> mock_ledger::violations() const {
    const std::lock_guard guard(lists_);
    return violations_;
}

std::optional<mock_seen> mock_ledger::find(std::uint64_t number) const {
    const std::lock_guard guard(lists_);
    const auto found = number != 0 ? std::ranges::find(seen_, number, &mock_seen::number)
                                   : std::ranges::max_element(seen_, {}, &mock_seen::number);
    if (found == seen_.end() || found->number == 0) {
        return std::nullopt;
    }
    mock_seen copy = *found;
    if (copy.body_kept && copy.body_sha256.empty()) {
        copy.body_sha256 = sha256_hex(copy.body);
    }
    return copy;
}

void mock_ledger::clear_lists() {
    const std::lock_guard guard(lists_);
    aborts_.clear();
    violations_.clear();
    seen_.fill({});
}

mock_board::mock_board(unsigned threads) {
    for (unsigned i = 0; i < threads; ++i) {
        parts_.push_back(std::make_unique<mock_ledger>());
    }
}

mock_ledger::totals mock_board::sum() const noexcept {
    mock_ledger::totals result{};
    for (const auto& part : parts_) {
        const auto values = part->read();
        std::ranges::transform(result, values, result.begin(), std::plus<>{});
    }
    return result;
}

std::string mock_board::json() const {
    const auto now = sum();
    const auto at = [&now](mock_count which) { return now[static_cast<std::size_t>(which)]; };
    std::string text = "{";
    {
        const std::lock_guard guard(base_lock_);
        for (std::size_t i = 0; i < mock_ledger::counts; ++i) {
            text.append("\"").append(names[i]).append("\":").append(std::to_string(now[i] - base_[i])).append(",");
        }
    }
    // Counters of several threads are not read at one moment: never show less than nothing.
    const auto ended = at(mock_count::completed) + at(mock_count::aborted) + at(mock_count::broken);
    const auto begun = std::max(at(mock_count::requests), ended);
    const auto accepted = std::max(at(mock_count::accepted), at(mock_count::closed));
    text.append("\"in_progress\":").append(std::to_string(begun - ended));
    text.append(",\"connections_open\":").append(std::to_string(accepted - at(mock_count::closed)));
    text.append(",\"last_request\":").append(std::to_string(numbers_.load(std::memory_order_relaxed)));
    text.append(",\"now_monotonic_us\":").append(std::to_string(base::micros(std::chrono::steady_clock::now())));
    text.append(",\"aborts\":[");
    const char* separator = "";
    for (const auto& part : parts_) {
        for (const auto& abort : part->aborts()) {
            append_abort(text.append(separator), abort);
            separator = ",";
        }
    }
    text.append("],\"violation_list\":[");
    separator = "";
    for (const auto& part : parts_) {
        for (const auto& violation : part->violations()) {
            append_violation(text.append(separator), violation);
            separator = ",";
        }
    }
    return text.append("]}\n");
}

std::optional<mock_seen> mock_board::find(std::uint64_t number) const {
    std::optional<mock_seen> best;
    for (const auto& part : parts_) {
        auto found = part->find(number);
        if (found && (!best || found->number > best->number)) {
            best = std::move(found);
        }
    }
    return best;
}

void mock_board::reset() {
    const std::lock_guard guard(base_lock_);
    base_ = sum();
    for (const auto& part : parts_) {
        part->clear_lists();
    }
    epoch_.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace concurred::bench
