#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

struct redisReader;
struct redisReply;

namespace concurred::storage {

/// A value of a reply, looked at: valid as long as the reply it is part of. Reading it as another kind than it is gives
/// 0, an empty text or no elements, so that a server that answers nonsense cannot crash its reader.
class redis_value {
public:
    enum class kind : std::uint8_t { nil, integer, text, status, error, array };

    redis_value() noexcept = default;
    explicit redis_value(const ::redisReply* value) noexcept : value_(value) {}

    [[nodiscard]] kind type() const noexcept;
    [[nodiscard]] bool is_nil() const noexcept { return type() == kind::nil; }
    [[nodiscard]] bool is_error() const noexcept { return type() == kind::error; }
    [[nodiscard]] std::int64_t integer() const noexcept;
    /// Of a text, a status or an error.
    [[nodiscard]] std::string_view text() const noexcept;
    /// Elements of an array.
    [[nodiscard]] std::size_t size() const noexcept;
    /// Nil for an element that is not there.
    [[nodiscard]] redis_value operator[](std::size_t index) const noexcept;

private:
    const ::redisReply* value_ = nullptr;
};

/// A whole reply with all that belongs to it.
class redis_reply : public redis_value {
public:
    redis_reply() noexcept = default;  ///< nil
    /// Takes over what hiredis has made.
    explicit redis_reply(::redisReply* made) noexcept : redis_value(made), owned_(made) {}

private:
    struct release {
        void operator()(::redisReply* reply) const noexcept;
    };
    std::unique_ptr<::redisReply, release> owned_;
};

/// Takes replies out of a stream of bytes (RESP2, read by hiredis). Belongs to one connection; an error is final: the
/// place in the stream is lost then.
class redis_reader {
public:
    /// @param most_bytes that one reply may have; a server may announce a length of any size.
    explicit redis_reader(std::size_t most_bytes = 8U << 20);

    /// Adds what was read from the connection. @return false when it is too much, or after an error.
    [[nodiscard]] bool feed(std::string_view bytes);
    /// @return the next whole reply; nullopt when more bytes are needed or `failed`.
    [[nodiscard]] std::optional<redis_reply> next();

    [[nodiscard]] bool failed() const noexcept { return failed_; }

private:
    struct release {
        void operator()(::redisReader* reader) const noexcept;
    };
    std::unique_ptr<::redisReader, release> reader_;
    std::size_t most_bytes_;
    std::size_t unfinished_ = 0;  // bytes fed since the last whole reply
    bool failed_ = false;
};

/// Appends a command as an array of strings, whatever bytes they hold.
void append_redis_command(std::string& out, std::span<const std::string_view> words);

}  // namespace concurred::storage
