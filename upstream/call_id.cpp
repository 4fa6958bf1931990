#include "upstream/call_id.hpp"

#include "crypto/digest.hpp"
#include "crypto/random.hpp"

#include <algorithm>

namespace concurred::upstream {

std::string made_call_id(std::string_view answer_id, unsigned choice, unsigned number) {
    const std::string place = std::to_string(choice) + "/" + std::to_string(number);
    const crypto::digest256 digest = crypto::hmac_sha256(answer_id, place);
    // A UUID of version 8, which leaves its bits to whoever makes it (RFC 9562 5.8).
    base::event_id id{};
    std::copy_n(digest.begin(), id.size(), id.begin());
    id[6] = static_cast<std::uint8_t>((id[6] & 0x0FU) | 0x80U);
    id[8] = static_cast<std::uint8_t>((id[8] & 0x3FU) | 0x80U);
    return "call_" + crypto::to_text(id);
}

std::string made_answer_id() {
    constexpr std::size_t random_characters = 24;
    return "chatcmpl-" + crypto::random_alphanumeric(random_characters);
}

}  // namespace concurred::upstream
