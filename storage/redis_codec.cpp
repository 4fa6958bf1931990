#include "storage/redis_codec.hpp"

#include <hiredis/hiredis.h>

#include <array>
#include <charconv>

// The functions that a reader calls have other types from 1.0 on.
static_assert(HIREDIS_MAJOR == 0 && HIREDIS_MINOR == 14, "made for hiredis 0.14");

namespace concurred::storage {

namespace {

// An array costs memory as soon as its length is known, before any of its elements has come.
constexpr int most_elements = 1 << 17;

redisReplyObjectFunctions* bounded_functions() {
    static redisReplyObjectFunctions functions = [] {
        const std::unique_ptr<redisReader, void (*)(redisReader*)> one(redisReaderCreate(), &redisReaderFree);
        redisReplyObjectFunctions standard = *one->fn;
        static void* (*const create_array)(const redisReadTask*, int) = standard.createArray;
        standard.createArray = [](const redisReadTask* task, int elements) -> void* {
            return elements > most_elements ? nullptr : create_array(task, elements);
        };
        return standard;
    }();
    return &functions;
}

void append_length(std::string& out, char kind, std::size_t length) {
    std::array<char, 24> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), length).ptr;
    (out += kind).append(digits.data(), end).append("\r\n");
}

}  // namespace

redis_value::kind redis_value::type() const noexcept {
    switch (value_ == nullptr ? REDIS_REPLY_NIL : value_->type) {
        case REDIS_REPLY_STRING:
            return kind::text;
        case REDIS_REPLY_ARRAY:
            return kind::array;
        case REDIS_REPLY_INTEGER:
            return kind::integer;
        case REDIS_REPLY_STATUS:
            return kind::status;
        case REDIS_REPLY_ERROR:
            return kind::error;
        default:
            return kind::nil;
    }
}

std::int64_t redis_value::integer() const noexcept {
    return type() == kind::integer ? value_->integer : 0;
}

std::string_view redis_value::text() const noexcept {
    const kind is = type();
    return is == kind::text || is == kind::status || is == kind::error ? std::string_view(value_->str, value_->len)
                                                                       : std::string_view();
}

std::size_t redis_value::size() const noexcept {
    return type() == kind::array ? value_->elements : 0;
}

redis_value redis_value::operator[](std::size_t index) const noexcept {
    return index < size() ? redis_value(value_->element[index]) : redis_value();
}

void redis_reply::release::operator()(::redisReply* reply) const noexcept {
    freeReplyObject(reply);
}

void redis_reader::release::operator()(::redisReader* reader) const noexcept {
    redisReaderFree(reader);
}

redis_reader::redis_reader(std::size_t most_bytes)
    : reader_(redisReaderCreateWithFunctions(bounded_functions())),
      most_bytes_(most_bytes),
      failed_(reader_ == nullptr) {}

bool redis_reader::feed(std::string_view bytes) {
    if (failed_ || bytes.empty()) {
        return !failed_;
    }
    unfinished_ += bytes.size();
    failed_ = unfinished_ > most_bytes_ || redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) != REDIS_OK;
    return !failed_;
}

std::optional<redis_reply> redis_reader::next() {
    if (failed_) {
        return std::nullopt;
    }
    void* made = nullptr;
    if (redisReaderGetReply(reader_.get(), &made) != REDIS_OK) {
        failed_ = true;
        return std::nullopt;
    }
    if (made == nullptr) {
        return std::nullopt;
    }
    unfinished_ = reader_->len - reader_->pos;
    return redis_reply(static_cast<::redisReply*>(made));
}

void append_redis_command(std::string& out, std::span<const std::string_view> words) {
    append_length(out, '*', words.size());
    for (const std::string_view word : words) {
        append_length(out, '$', word.size());
        out.append(word).append("\r\n");
    }
}

}  // namespace concurred::storage
