#include "upstream/key_finder.hpp"

#include "gateway/http/byte_scan.hpp"
#include "upstream/json_parts.hpp"

namespace concurred::upstream {

const char* key_finder::find(const char* p, const char* end) noexcept {
    while (p != end) {
        if (stage_ == stage::key) {
            if (matched_ == 0) {
                p = http::find_quoted(p, end, http::one_byte{quoted_[1]});
                if (p == end) {
                    matched_ = end[-1] == '"' ? 1 : 0;  // the key may begin with the last byte
                    break;
                }
            }
            if (*p != quoted_[matched_]) {
                matched_ = *p == '"' ? 1 : 0;
            } else if (++matched_ == quoted_.size()) {
                matched_ = 0;
                stage_ = stage::colon;
            }
            ++p;
        } else if (is_json_space(*p)) {
            ++p;
        } else if (stage_ == stage::value) {
            stage_ = stage::key;
            return p;
        } else if (*p == ':') {
            stage_ = stage::value;
            ++p;
        } else {
            stage_ = stage::key;  // the word was a value
        }
    }
    return nullptr;
}

}  // namespace concurred::upstream
