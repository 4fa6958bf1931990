#pragma once

#include "gateway/http/exchange.hpp"
#include "upstream/body_splice.hpp"
#include "upstream/chat_request.hpp"
#include "upstream/dialect.hpp"
#include "upstream/model_registry.hpp"
#include "upstream/plain_request.hpp"
#include "upstream/provider.hpp"
#include "upstream/relay.hpp"

#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace concurred::upstream {

/// A client's request in the words of one provider: all that an attempt needs besides a connection, and good for as
/// many attempts as one likes. It is filled where it lies, since its parts point into it, and holds no secret.
class prepared_request {
public:
    prepared_request() = default;
    prepared_request(const prepared_request&) = delete;
    prepared_request& operator=(const prepared_request&) = delete;

    /// Makes a request ready for `to`; may be called again, for another target. In the provider's own dialect the body
    /// stays as it is but for the documented splices; for another it is translated. `x.form` says which dialect the
    /// client speaks.
    /// @param request, body the client's, and `x`, `target` and `to`: outlive this
    /// Errors: bad_request that names the field which the provider cannot do.
    [[nodiscard]] base::result<void> prepare(const provider& to, const route_target& target,
                                             const chat_request& request, std::string_view body,
                                             const http::exchange& x);

    /// Makes a request for another endpoint ready: its body stays as it is but for the model.
    void prepare_plain(const route_target& target, const chat_request& request, std::string_view body,
                       plain_endpoint endpoint);

    /// What follows the base URL, e.g. "/chat/completions".
    [[nodiscard]] std::string_view path() const noexcept { return path_; }
    /// Header fields besides those of every request to the provider, each line complete.
    [[nodiscard]] std::string_view fields() const noexcept { return fields_; }
    [[nodiscard]] const spliced_body& body() const noexcept { return body_; }
    /// Names of fields that only tune and that the provider lacks.
    [[nodiscard]] std::span<const std::string> dropped() const noexcept { return translated_.dropped; }
    /// How its answer goes on to the client.
    [[nodiscard]] const relay::params& relay_params() const noexcept { return params_; }
    /// A translator of its answer, for one attempt; null: the answer goes through as it comes.
    [[nodiscard]] std::unique_ptr<answer_translator> translator() const;

private:
    /// What the answer goes through on its way back.
    enum class way : std::uint8_t { as_it_is, translated, messages, to_messages, count, responses };

    [[nodiscard]] base::result<void> prepare_chat(const provider& to, const chat_request& request,
                                                  std::string_view body);
    [[nodiscard]] base::result<void> prepare_messages(const provider& to, const chat_request& request,
                                                      std::string_view body, const http::exchange& x);
    [[nodiscard]] base::result<void> translate(std::string_view chat);

    way way_ = way::as_it_is;
    std::string_view path_;
    std::string fields_;
    std::string chat_;  // the client's request as a chat completion, when it is none
    spliced_body body_;
    std::string scratch_;
    translated_request translated_;
    relay::params params_;
    const dialect* translation_ = nullptr;
    translation_context context_;
    std::string_view client_body_;
    std::string_view strict_tools_;  // the client's tools, when some are strict and nobody else sees to it
};

}  // namespace concurred::upstream
