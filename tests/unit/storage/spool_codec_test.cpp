#include "storage/spool_codec.hpp"

#include "storage/spool_scanner.hpp"
#include "storage/usage_codec.hpp"
#include "tests/unit/storage/support.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

using namespace concurred;
using namespace concurred::storage;
using namespace concurred::storage::test;
using base::usage_record;

namespace {

constexpr spool_id here{1, 2, 3};
constexpr std::size_t segment_bytes = 64 * 1024;

class random_records {
public:
    explicit random_records(unsigned seed) : random_(seed) {}

    std::uint64_t number() { return random_() >> (random_() % 64); }
    std::string text(std::size_t most) {
        std::string out(random_() % (most + 1), '\0');
        for (char& c : out) {
            c = static_cast<char>(random_());
        }
        return out;
    }
    usage_record record() {
        usage_record r;
        for (auto& b : r.id) {
            b = static_cast<std::uint8_t>(random_());
        }
        r.admitted_ms = static_cast<std::int64_t>(number());
        r.day = static_cast<std::int32_t>(random_());
        r.status = static_cast<std::uint16_t>(random_());
        r.end = static_cast<base::end_reason>(random_() % 7);
        r.byok = random_() % 2 != 0;
        r.stream = random_() % 2 != 0;
        r.estimated = random_() % 2 != 0;
        r.priced = random_() % 2 != 0;
        r.price_version = static_cast<std::uint32_t>(random_());
        r.tokens = {number(), number(), number(), number(), number()};
        r.reserved_tokens = number();
        r.cost_nano_usd = static_cast<std::int64_t>(random_());
        r.latency_ms = static_cast<std::uint32_t>(random_());
        r.first_token_ms = static_cast<std::uint32_t>(random_());
        r.owner = text(base::max_id_length);
        r.key_id = text(base::max_id_length);
        r.endpoint = text(48);
        r.provider = text(32);
        r.model_requested = text(96);
        r.model = text(96);
        r.upstream_request_id = text(64);
        return r;
    }
    std::mt19937_64& raw() { return random_; }

private:
    std::mt19937_64 random_;
};

bool same(const usage_record& a, const usage_record& b) {
    const auto tokens = [](const base::token_counts& t) {
        return std::tuple(t.prompt, t.cache_read, t.cache_write, t.completion, t.reasoning);
    };
    const auto numbers = [&](const usage_record& r) {
        return std::tuple(r.id, r.admitted_ms, r.day, r.status, r.end, r.byok, r.stream, r.estimated, r.priced,
                          r.price_version, tokens(r.tokens), r.reserved_tokens, r.cost_nano_usd, r.latency_ms,
                          r.first_token_ms);
    };
    const auto texts = [](const usage_record& r) {
        return std::tuple(r.owner.view(), r.key_id.view(), r.endpoint.view(), r.provider.view(),
                          r.model_requested.view(), r.model.view(), r.upstream_request_id.view());
    };
    return numbers(a) == numbers(b) && texts(a) == texts(b);
}

/// A segment with as many random records as fit in two thirds of it.
struct written_segment {
    explicit written_segment(unsigned seed, std::uint32_t number = 1)
        : bytes(segment_bytes), seal(make_seal(here, number)) {
        random_records random(seed);
        write_header(bytes, {here, number});
        std::size_t at = spool_header_bytes;
        while (at < segment_bytes * 2 / 3) {
            records.push_back(random.record());
            ends.push_back(at += write_frame(std::span(bytes).subspan(at), seal, spool_kind::settle, records.size(),
                                             records.back()));
        }
    }
    std::vector<std::uint8_t> bytes;
    spool_seal seal;
    std::vector<usage_record> records;
    std::vector<std::size_t> ends;
};

struct scan_result {
    std::vector<std::uint64_t> sequences;
    bool all_as_written = true;
    std::uint64_t damaged = 0;
    bool torn = false;
};

scan_result scan(const written_segment& s, std::span<const std::uint8_t> bytes) {
    scan_result found;
    spool_scanner scanner(bytes, s.seal);
    while (const auto frame = scanner.next(bytes.size())) {
        usage_record record;
        const bool good = unpack_usage(frame->packed, record) && frame->sequence <= s.records.size() &&
                          same(record, s.records[frame->sequence - 1]);
        found.all_as_written = found.all_as_written && good;
        found.sequences.push_back(frame->sequence);
    }
    found.damaged = scanner.damaged();
    found.torn = scanner.torn();
    return found;
}

}  // namespace

TEST_SUITE("storage/spool_codec") {
    TEST_CASE("what is written is read, whatever the record holds") {
        random_records random(7);
        std::vector<std::uint8_t> out(max_spool_frame);
        for (int i = 0; i < 2'000; ++i) {
            const usage_record record = random.record();
            const auto kind = i % 2 == 0 ? spool_kind::admit : spool_kind::settle;
            const std::uint64_t sequence = 1 + random.number();
            const std::size_t size = write_frame(out, make_seal(here, 9), kind, sequence, record);
            REQUIRE(size % 8 == 0);
            REQUIRE(size <= max_spool_frame);
            const frame_view frame = look_at_frame(std::span(out).first(size), make_seal(here, 9));
            REQUIRE(frame.state == frame_state::good);
            REQUIRE(frame.size == size);
            usage_record read;
            REQUIRE(unpack_usage(frame.packed, read));
            REQUIRE(frame.sequence == sequence);
            REQUIRE(frame.kind == kind);
            REQUIRE(same(read, record));
        }
    }

    TEST_CASE("the largest record there can be fits a frame") {
        usage_record record;
        const std::string long_text(300, 'x');
        record.owner = long_text;
        record.key_id = long_text;
        record.endpoint = long_text;
        record.provider = long_text;
        record.model_requested = long_text;
        record.model = long_text;
        record.upstream_request_id = long_text;
        std::vector<std::uint8_t> out(max_spool_frame);
        CHECK(write_frame(out, make_seal(here, 1), spool_kind::settle, 1, record) <= max_spool_frame);
    }

    TEST_CASE("a frame that is cut off anywhere is no frame") {
        random_records random(3);
        std::vector<std::uint8_t> whole(max_spool_frame);
        const std::size_t size = write_frame(whole, make_seal(here, 1), spool_kind::settle, 5, random.record());
        for (std::size_t cut = 1; cut < size - 7; ++cut) {  // the last bytes are padding
            std::vector<std::uint8_t> torn(max_spool_frame);
            std::copy_n(whole.begin(), cut, torn.begin());
            REQUIRE(look_at_frame(torn, make_seal(here, 1)).state != frame_state::good);
            REQUIRE(look_at_frame(std::span(whole).first(cut), make_seal(here, 1)).state != frame_state::good);
        }
    }

    TEST_CASE("one wrong bit anywhere in a frame is noticed") {
        random_records random(4);
        std::vector<std::uint8_t> whole(max_spool_frame);
        const usage_record record = random.record();
        const std::size_t size = write_frame(whole, make_seal(here, 1), spool_kind::settle, 5, record);
        const auto packed = look_at_frame(whole, make_seal(here, 1)).packed;
        const auto payload_end = static_cast<std::size_t>(packed.data() + packed.size() - whole.data());
        REQUIRE(payload_end <= size);
        for (std::size_t bit = 0; bit < payload_end * 8; ++bit) {
            whole[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
            REQUIRE(look_at_frame(whole, make_seal(here, 1)).state == frame_state::bad);
            whole[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        }
    }

    TEST_CASE("a frame of another spool or segment is foreign") {
        std::vector<std::uint8_t> out(max_spool_frame);
        (void)write_frame(out, make_seal(here, 1), spool_kind::settle, 5, usage());
        CHECK(look_at_frame(out, make_seal(here, 1)).state == frame_state::good);
        CHECK(look_at_frame(out, make_seal(here, 2)).state == frame_state::bad);
        CHECK(look_at_frame(out, make_seal({9}, 1)).state == frame_state::bad);
    }

    TEST_CASE("a header is read back, and any wrong bit in it is noticed") {
        std::vector<std::uint8_t> out(spool_header_bytes);
        write_header(out, {here, 77});
        const auto header = read_header(out);
        REQUIRE(header.has_value());
        CHECK(header->spool == here);
        CHECK(header->segment == 77);
        for (std::size_t bit = 0; bit < 36 * 8; ++bit) {
            out[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
            CHECK(!read_header(out).has_value());
            out[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        }
        CHECK(!read_header(std::span(out).first(spool_header_bytes - 1)).has_value());
    }
}

TEST_SUITE("storage/spool_scanner") {
    TEST_CASE("a segment that is cut at any byte gives every whole record before the cut, and says that it is torn") {
        const written_segment s(11);
        REQUIRE(s.records.size() > 60);
        std::mt19937_64 random(5);
        for (int i = 0; i < 400; ++i) {
            const std::size_t cut = spool_header_bytes + random() % (s.ends.back() - spool_header_bytes);
            std::vector<std::uint8_t> bytes(segment_bytes);
            std::copy_n(s.bytes.begin(), cut, bytes.begin());
            const auto whole =
                static_cast<std::size_t>(std::upper_bound(s.ends.begin(), s.ends.end(), cut) - s.ends.begin());
            const scan_result found = scan(s, bytes);
            REQUIRE(found.all_as_written);
            // Padding that is cut off was zeros anyway: one record more may be whole.
            REQUIRE(found.sequences.size() >= whole);
            REQUIRE(found.sequences.size() <= whole + 1);
            REQUIRE(found.damaged == 0);
        }
    }

    TEST_CASE("damage inside takes the records it hits and no others, and none is made up") {
        const written_segment s(12);
        std::mt19937_64 random(6);
        for (int i = 0; i < 200; ++i) {
            std::vector<std::uint8_t> bytes = s.bytes;
            const std::size_t from = spool_header_bytes + random() % (s.ends.back() - spool_header_bytes - 600);
            const std::size_t size = 1 + random() % 600;
            const bool zeros = i % 2 == 0;  // a page that was never written, or nonsense
            for (std::size_t at = from; at < from + size; ++at) {
                bytes[at] = zeros ? 0 : static_cast<std::uint8_t>(random());
            }
            const scan_result found = scan(s, bytes);
            REQUIRE(found.all_as_written);
            REQUIRE(std::is_sorted(found.sequences.begin(), found.sequences.end()));
            const auto first =
                static_cast<std::size_t>(std::upper_bound(s.ends.begin(), s.ends.end(), from) - s.ends.begin());
            const auto last = static_cast<std::size_t>(std::upper_bound(s.ends.begin(), s.ends.end(), from + size - 1) -
                                                       s.ends.begin());
            const std::size_t hit = std::min(last, s.records.size() - 1) - first + 1;
            REQUIRE(found.sequences.size() >= s.records.size() - hit);
        }
    }

    TEST_CASE("garbage, and another segment's records, give nothing") {
        const written_segment s(13);
        const written_segment other(14, 2);
        CHECK(scan(s, other.bytes).sequences.empty());
        std::vector<std::uint8_t> noise(segment_bytes);
        std::mt19937_64 random(7);
        for (auto& b : noise) {
            b = static_cast<std::uint8_t>(random());
        }
        const scan_result found = scan(s, noise);
        CHECK(found.sequences.empty());
        CHECK(found.torn);
        CHECK(!scan(s, std::vector<std::uint8_t>(segment_bytes)).torn);
    }

    TEST_CASE("a copy of older records behind the newer ones is passed over") {
        const written_segment s(15);
        std::vector<std::uint8_t> bytes = s.bytes;
        std::copy(s.bytes.begin() + spool_header_bytes, s.bytes.begin() + static_cast<std::ptrdiff_t>(s.ends[3]),
                  bytes.begin() + static_cast<std::ptrdiff_t>(s.ends.back()));
        CHECK(scan(s, bytes).sequences.size() == s.records.size());
    }
}
