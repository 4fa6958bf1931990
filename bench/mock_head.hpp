#pragma once

#include "bench/mock_dialect.hpp"
#include "bench/mock_settings.hpp"
#include "bench/mock_template.hpp"

#include <string>
#include <string_view>

namespace concurred::bench {

/// `HTTP/1.1 200 OK` and the fields every answer carries, with marks of `mock_stamp`; without the blank line.
[[nodiscard]] std::string head_start(unsigned status, std::string_view content_type);

/// Interim answers, head and the fields that `settings` ask for; without framing fields and blank line.
/// \param base_url `http://HOST:PORT` of this server, the target of redirects
[[nodiscard]] std::string head_of(const mock_dialect& dialect, const mock_settings& settings, unsigned status,
                                  std::string_view content_type, std::string_view base_url);

/// A complete small answer with its body.
/// \param fields more header fields, each ending in CR LF
[[nodiscard]] std::string small_answer(const mock_stamp& stamp, unsigned status, std::string_view content_type,
                                       std::string_view body, bool close, std::string_view fields = {});

}  // namespace concurred::bench
