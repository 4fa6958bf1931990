// sources: storage/redis_codec.cpp storage/redis_error.cpp storage/redis_slots.cpp -lhiredis
// Whatever a server sends, and however it is cut: nothing crashes, and the cut makes no difference.
#include "storage/redis_codec.hpp"
#include "storage/redis_error.hpp"
#include "storage/redis_slots.hpp"

#include <cstdlib>
#include <string>
#include <string_view>

using namespace concurred::storage;

namespace {

void describe(const redis_value& value, std::string& out) {
    out += std::to_string(static_cast<int>(value.type())) + ":" + std::to_string(value.integer()) + ":";
    out.append(value.text()) += ';';
    for (std::size_t i = 0; i < value.size(); ++i) {
        describe(value[i], out);
    }
}

std::string read(std::string_view bytes, std::size_t step) {
    redis_reader reader(1U << 16);
    std::string out;
    while (!bytes.empty()) {
        const std::size_t n = std::min(step, bytes.size());
        if (!reader.feed(bytes.substr(0, n))) {
            break;
        }
        bytes.remove_prefix(n);
        while (auto reply = reader.next()) {
            describe(*reply, out);
            if (reply->is_error()) {
                static_cast<void>(redis_error_kind(reply->text()));
                static_cast<void>(parse_redis_redirect(reply->text()));
            }
            redis_slot_map map;
            static_cast<void>(map.load(*reply, {"h", 1}));
        }
    }
    return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    if (size > 4'096) {
        return 0;
    }
    if (read(bytes, 1) != read(bytes, bytes.size() + 1)) {
        std::abort();
    }
    static_cast<void>(redis_slot(bytes));
    return 0;
}
