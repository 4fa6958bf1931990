#include "gateway/http/chunk_decoder.hpp"

#include "gateway/http/characters.hpp"

#include <algorithm>
#include <cstring>

namespace concurred::http {

namespace {

// More framing than 64 KiB and than 16 octets for each octet of body is an attack, not a client.
constexpr std::uint64_t free_overhead = 65'536;
constexpr std::uint64_t overhead_per_octet = 16;

constexpr unsigned hex_value(char c) noexcept {
    return static_cast<unsigned>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

}  // namespace

base::result<chunk_decoder::progress> chunk_decoder::decode(std::string_view in, char* out) {
    using base::client_error;
    using base::errc;
    progress done;
    while (done.consumed < in.size() && state_ != state::done) {
        if (state_ == state::data) {
            const auto left = in.size() - done.consumed;
            const auto n = remaining_ < left ? static_cast<std::size_t>(remaining_) : left;
            std::memmove(out + done.produced, in.data() + done.consumed, n);
            done.consumed += n;
            done.produced += n;
            body_ += n;
            remaining_ -= n;
            if (remaining_ == 0) {
                state_ = state::data_cr;
            }
            continue;
        }
        if (!step(in[done.consumed++])) {
            return client_error(errc::bad_request, "Malformed HTTP request: the chunked body is not well formed.");
        }
        ++overhead_;
        if (trailers_ > trailer_limit) {
            return client_error(errc::header_fields_too_large, "The trailers are larger than 16384 bytes.");
        }
        if (line_ > line_limit || (overhead_ > free_overhead && overhead_ > overhead_per_octet * body_)) {
            return client_error(errc::bad_request,
                                "Malformed HTTP request: the chunked body is mostly framing, not data.");
        }
    }
    done.finished = state_ == state::done;
    return done;
}

bool chunk_decoder::step(char c) noexcept {
    const auto to = [this](state next) {
        state_ = next;
        return true;
    };
    const auto after_extension = [&](state otherwise) {
        return c == ';' ? to(state::extension_name_start) : c == '\r' ? to(state::size_lf) : to(otherwise);
    };
    if (state_ <= state::size_lf) {
        ++line_;
    } else if (state_ >= state::trailer_start) {
        ++trailers_;
    }
    switch (state_) {
        case state::size_start:
        case state::size:
            if (is_octet(c, octet_hex)) {
                // 15 digits: no overflow, and a run of zeros is not a way to hide.
                if (++digits_ > 15) {
                    return false;
                }
                remaining_ = remaining_ * 16 + hex_value(c);
                return to(state::size);
            }
            return state_ == state::size && (c == ';' || c == '\r') && after_extension(state::size);
        case state::extension_name_start:
            return is_octet(c, octet_token) && to(state::extension_name);
        case state::extension_name:
            if (c == '=') {
                return to(state::extension_value_start);
            }
            return (c == ';' || c == '\r' || is_octet(c, octet_token)) && after_extension(state::extension_name);
        case state::extension_value_start:
            return c == '"' ? to(state::extension_quoted) : is_octet(c, octet_token) && to(state::extension_token);
        case state::extension_token:
            return (c == ';' || c == '\r' || is_octet(c, octet_token)) && after_extension(state::extension_token);
        case state::extension_quoted:
            return is_octet(c, octet_value) && to(c == '"'    ? state::extension_quoted_end
                                                  : c == '\\' ? state::extension_escaped
                                                              : state::extension_quoted);
        case state::extension_escaped:
            return is_octet(c, octet_value) && to(state::extension_quoted);
        case state::extension_quoted_end:
            return (c == ';' || c == '\r') && after_extension(state::extension_quoted_end);
        case state::size_lf:
            digits_ = 0;
            line_ = 0;
            return c == '\n' && to(remaining_ == 0 ? state::trailer_start : state::data);
        case state::data:
            return false;
        case state::data_cr:
            return c == '\r' && to(state::data_lf);
        case state::data_lf:
            return c == '\n' && to(state::size_start);
        case state::trailer_start:
            return c == '\r' ? to(state::end_lf) : is_octet(c, octet_token) && to(state::trailer_name);
        case state::trailer_name:
            return c == ':' ? to(state::trailer_value) : is_octet(c, octet_token);
        case state::trailer_value:
            return c == '\r' ? to(state::trailer_lf) : is_octet(c, octet_value);
        case state::trailer_lf:
            return c == '\n' && to(state::trailer_start);
        case state::end_lf:
            return c == '\n' && to(state::done);
        case state::done:
            break;
    }
    return false;
}

}  // namespace concurred::http
