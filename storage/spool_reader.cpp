#include "storage/spool_reader.hpp"

#include "storage/usage_codec.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace concurred::storage {

namespace {

constexpr const char* carry_name = "carry";
constexpr const char* new_carry_name = "carry.new";
constexpr std::size_t fill_at_once = 512;

bool write_all(int file, std::span<const std::uint8_t> bytes) noexcept {
    while (!bytes.empty()) {
        const ssize_t done = ::write(file, bytes.data(), bytes.size());
        if (done <= 0) {
            return false;
        }
        bytes = bytes.subspan(static_cast<std::size_t>(done));
    }
    return true;
}

}  // namespace

std::size_t spool_reader::id_hash::operator()(const base::event_id& id) const noexcept {
    std::size_t random = 0;  // the second half of a UUIDv7
    std::memcpy(&random, id.data() + 8, sizeof(random));
    return random;
}

spool_reader::spool_reader(int folder, const spool_id& spool, spool_segment* first, frame_trust trust)
    : folder_(folder), spool_(spool), trust_(trust) {
    if (first != nullptr) {
        begin_segment(first);
    }
}

void spool_reader::begin_segment(spool_segment* segment) {
    at_ = segment;
    scanner_.emplace(segment->bytes(), segment->seal(), trust_);
    unfinished_.push_back(segment);
}

void spool_reader::end_segment() noexcept {
    lost_ += scanner_->damaged();
    torn_ += scanner_->torn() ? 1 : 0;
}

bool spool_reader::at_end() const noexcept {
    return at_ == nullptr || (at_->next.load(std::memory_order_acquire) == nullptr &&
                              scanner_->offset() >= at_->written.load(std::memory_order_acquire));
}

bool spool_reader::next_segment() {
    spool_segment* const next = at_->next.load(std::memory_order_acquire);
    // Looked at again, after `next`: the last frames may have come between.
    if (next == nullptr || scanner_->offset() < at_->written.load(std::memory_order_acquire)) {
        return next != nullptr;
    }
    end_segment();
    begin_segment(next);
    return true;
}

void spool_reader::take(const frame_view& frame) {
    if (next_sequence_ != 0 && frame.sequence > next_sequence_) {
        lost_ += frame.sequence - next_sequence_;
    }
    next_sequence_ = frame.sequence + 1;
    if (frame.kind == spool_kind::admit) {
        open_.insert_or_assign(packed_id(frame.packed), open_request{frame.packed, at_});
        return;
    }
    if (frame.kind == spool_kind::unknown || !unpack_usage(frame.packed, next_pending())) {
        ++lost_;
        return;
    }
    open_.erase(pending_[filled_].id);
    if (scanner_->offset() > at_->mark()) {
        places_.push_back({at_, scanner_->offset()});
        ++filled_;
    }
}

/// The place behind the last one, which is not filled yet.
base::usage_record& spool_reader::next_pending() {
    if (pending_.size() == filled_) {
        pending_.emplace_back();
    }
    return pending_[filled_];
}

void spool_reader::fill(std::size_t max) {
    while (at_ != nullptr && filled_ < max) {
        if (const auto frame = scanner_->next(at_->written.load(std::memory_order_acquire))) {
            take(*frame);
        } else if (!next_segment()) {
            return;
        }
    }
}

std::span<const base::usage_record> spool_reader::peek(std::size_t max) {
    if (pending() == 0) {
        places_.clear();
        filled_ = 0;
        head_ = 0;
        fill(std::max(max, fill_at_once));
        finish_segments();  // those with nothing to apply
    }
    return std::span<const base::usage_record>(pending_).subspan(head_, std::min(max, pending()));
}

void spool_reader::release(std::size_t count) {
    for (std::size_t i = head_; i < head_ + count; ++i) {
        if (places_[i].segment != nullptr) {
            places_[i].segment->set_mark(places_[i].end);
        }
    }
    head_ += count;
    finish_segments();
}

void spool_reader::finish_segments() {
    while (!closing_ && (unfinished_.size() > 1 || (unfinished_.size() == 1 && unfinished_.front() != at_))) {
        spool_segment* const front = unfinished_.front();
        if (pending() != 0 && places_[head_].segment == front) {
            return;
        }
        if ((!open_.empty() || has_carry_) && !write_carry(front->number())) {
            return;  // tried again with the next release; the segment stays
        }
        keep_open(front);
        front->done.store(true, std::memory_order_release);
        unfinished_.pop_front();
    }
}

/// The segment goes: what is still open there is copied.
void spool_reader::keep_open(const spool_segment* segment) {
    for (auto& [id, request] : open_) {
        if (request.segment == segment) {
            request.segment = nullptr;
            request.kept.assign(request.packed.begin(), request.packed.end());
            request.packed = request.kept;
        }
    }
}

bool spool_reader::write_carry(std::uint32_t number) {
    if (open_.empty()) {
        has_carry_ = ::unlinkat(folder_, carry_name, 0) != 0 && errno != ENOENT;
        return !has_carry_;
    }
    unique_fd file(::openat(folder_, new_carry_name, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600));
    if (!file) {
        return false;
    }
    std::vector<std::uint8_t> bytes(spool_header_bytes);
    write_header(bytes, {spool_, number});
    const spool_seal seal = make_seal(spool_, number);
    std::uint64_t sequence = 0;
    for (const auto& [id, request] : open_) {
        base::usage_record record;
        if (unpack_usage(request.packed, record)) {
            const std::size_t end = bytes.size();
            bytes.resize(end + max_spool_frame);
            bytes.resize(end + write_frame(std::span(bytes).subspan(end), seal, spool_kind::admit, ++sequence, record));
        }
    }
    if (!write_all(file.get(), bytes) || ::fdatasync(file.get()) != 0 ||
        ::renameat(folder_, new_carry_name, folder_, carry_name) != 0 || ::fsync(folder_) != 0) {
        return false;
    }
    has_carry_ = true;
    return true;
}

bool spool_reader::read_carry() {
    unique_fd file(::openat(folder_, carry_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file) {
        return errno == ENOENT;
    }
    has_carry_ = true;
    struct ::stat facts {};
    if (::fstat(file.get(), &facts) != 0 || facts.st_size < 0) {
        return false;
    }
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(facts.st_size));
    const ssize_t got = ::pread(file.get(), bytes.data(), bytes.size(), 0);
    const auto header = got == facts.st_size ? read_header(bytes) : std::nullopt;
    if (!header || header->spool != spool_) {
        return false;
    }
    spool_scanner scanner(bytes, make_seal(spool_, header->segment));
    while (const auto frame = scanner.next(bytes.size())) {
        if (frame->kind == spool_kind::admit) {
            open_request request{{}, nullptr, {frame->packed.begin(), frame->packed.end()}};
            request.packed = request.kept;
            open_.insert_or_assign(packed_id(frame->packed), std::move(request));
        }
    }
    return !scanner.torn() && scanner.damaged() == 0;
}

void spool_reader::close_open() {
    closing_ = true;
    if (at_ != nullptr) {
        end_segment();
    }
    for (const auto& [id, request] : open_) {
        if (unpack_usage(request.packed, next_pending())) {
            places_.push_back({nullptr, 0});
            ++filled_;
        } else {
            ++lost_;
        }
    }
    open_.clear();
}

}  // namespace concurred::storage
