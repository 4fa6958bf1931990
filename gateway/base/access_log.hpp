#pragma once

#include "gateway/base/clock.hpp"
#include "gateway/base/log_options.hpp"
#include "gateway/base/log_text.hpp"
#include "gateway/base/log_writer.hpp"
#include "gateway/base/usage_record.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace concurred::base {

/// One answered request. Texts need to live only until `access_log::write` returns; an empty text and an unset value
/// leave their field out. There is no place for a credential: `key_id` names a key, it is not the key.
struct access_entry {
    wall_time ts{};                      ///< arrival
    std::string_view request_id;         ///< ours
    std::string_view client_request_id;  ///< what the client sent, when it is not the same
    std::string_view trace_id;
    std::string_view span_id;
    std::string_view client_address;
    std::string_view method;
    std::string_view route;  ///< the template, never the raw path
    unsigned status = 0;     ///< what the client got; 0: nothing
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
    std::chrono::microseconds duration{0};
    std::optional<std::chrono::microseconds> first_token;  ///< from arrival to the first content
    std::optional<std::chrono::microseconds> upstream;     ///< spent waiting for the provider
    std::chrono::microseconds overhead{0};                 ///< the gateway's own part
    bool stream = false;
    base::end_reason end_reason = base::end_reason::completed;
    std::string_view key_id;
    std::string_view owner;
    std::string_view provider;
    std::string_view model_requested;
    std::string_view model_served;
    bool byok = false;
    std::optional<token_counts> tokens;
    std::optional<std::int64_t> cost_nano_usd;  ///< unset: not known, which is not 0
    unsigned retries = 0;
    std::string_view fallback_from;
    std::string_view user_agent;
    std::string_view upstream_request_id;
};

/// The access log of one shard: a line for each request, gathered in a buffer of the shard. Allocates nothing once its
/// buffers have grown. Belongs to the shard's thread.
class access_log {
public:
    /// \param writer   outlives the log
    /// \param enabled  false: `write` does nothing
    access_log(log_writer& writer, log_format format, bool enabled = true);
    /// Hands over what is left.
    ~access_log();
    access_log(const access_log&) = delete;
    access_log& operator=(const access_log&) = delete;

    [[nodiscard]] bool enabled() const noexcept { return enabled_; }
    void write(const access_entry& entry);

    /// Hands the lines so far to the writer's thread. The shard calls it every 100 ms.
    void flush() noexcept;

private:
    void append_json(const access_entry& entry);
    void append_text(const access_entry& entry);

    log_writer& writer_;
    log_format format_;
    bool enabled_;
    log_timestamp timestamp_;
    std::string lines_;
};

}  // namespace concurred::base
