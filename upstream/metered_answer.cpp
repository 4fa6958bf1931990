#include "upstream/metered_answer.hpp"

#include <cstring>

namespace concurred::upstream {

answer_reader::taken metered_answer::events(std::span<char> payload, bool ended) {
    stream_ = true;
    const stream_meter::split split = meter_.feed(payload);
    std::size_t forward = split.forward;
    std::size_t consumed = payload.size() - split.hold;
    if (ended) {
        // An event that nobody can read to its end is not begun, if that is still possible.
        const std::span<char> held = payload.last(split.hold);
        broken_event_ = meter_.inside_event();
        const stream_meter::split rest = meter_.finish(held);
        if (complete()) {
            std::memmove(payload.data() + forward, held.data(), rest.forward);
            forward += rest.forward;
        }
        consumed = payload.size();
    }
    return {{payload.data(), forward}, consumed};
}

base::result<answer_reader::taken> metered_answer::whole(std::span<char> payload, bool /*ended*/) {
    const std::string_view bytes(payload.data(), payload.size());
    scanner_.feed(bytes);
    plain_octets_ += bytes.size();
    return taken{bytes, bytes.size()};
}

}  // namespace concurred::upstream
