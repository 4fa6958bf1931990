#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace concurred::bench {

/// One request as it was received. All views point into the bytes given to the reader, or into the reader.
struct mock_request {
    std::string_view head;  ///< from the method to the blank line, with it
    std::string_view method;
    std::string_view target;
    std::string_view path;      ///< the target without query
    std::string_view query;     ///< what follows the question mark
    std::string_view key;       ///< the Bearer credential; empty if there is none
    std::string_view api_key;   ///< `x-api-key`
    std::string_view goog_key;  ///< `x-goog-api-key`
    std::string_view version;   ///< `anthropic-version`
    std::string_view spec;      ///< text of the `x-mock` header
    std::string_view body;      ///< without chunk framing
    bool keep_alive = true;
    bool http_1_0 = false;
};

/// Reads one HTTP/1.1 request after the other from a growing run of bytes. Strict where a gateway could be at fault:
/// what does not fit the grammar is refused, so that a test sees it.
class mock_request_reader {
public:
    enum class state { more, complete, bad };

    static constexpr std::size_t head_limit = 64 * 1024;
    static constexpr std::size_t body_limit = 64 * 1024 * 1024;

    /// Reads on. \param input everything received from the first byte of this request on; may move between calls
    [[nodiscard]] state advance(std::string_view input);

    /// The request, after `complete`. Lives as long as the last `input`, and until `next`.
    [[nodiscard]] const mock_request& request() const noexcept { return request_; }
    /// Bytes of `input` the request took, after `complete`.
    [[nodiscard]] std::size_t consumed() const noexcept { return consumed_; }
    /// How many more bytes are worth having room for, after `more`.
    [[nodiscard]] std::size_t wanted() const noexcept { return wanted_; }
    /// HTTP status of the refusal, after `bad`.
    [[nodiscard]] unsigned status() const noexcept { return status_; }
    /// Whether the client waits for `100 Continue`; true once per request.
    [[nodiscard]] bool continue_wanted() noexcept;

    /// Starts the next request.
    void next() noexcept;

private:
    [[nodiscard]] bool read_head(std::string_view head);
    [[nodiscard]] bool read_field(std::string_view name, std::string_view value);
    [[nodiscard]] state read_chunks(std::string_view input);
    [[nodiscard]] state refuse(unsigned status) noexcept;

    mock_request request_;
    std::string decoded_;        // body of a chunked request
    std::size_t head_size_ = 0;  // 0: the head is not complete
    std::size_t scanned_ = 0;    // bytes known to hold no end of head
    std::size_t length_ = 0;     // Content-Length
    std::size_t chunk_at_ = 0;   // where the next chunk begins
    std::size_t consumed_ = 0;
    std::size_t wanted_ = 0;
    unsigned status_ = 0;
    bool has_length_ = false;
    bool chunked_ = false;
    bool expects_ = false;
    bool trailer_ = false;  // past the last chunk
};

}  // namespace concurred::bench
