#pragma once

#include "gateway/base/config_parser.hpp"

namespace concurred::app {

/// Runs the gateway until it is told to stop.
///
/// SIGTERM drains: /readyz says 503 at once, answers say `Connection: close`, new connections are still served for
/// `drain_grace`, then the listeners close; requests run to their end or to `drain_timeout`, which ends streams with an
/// error event; usage is written. SIGINT does the same without the grace. A second one of either ends now.
///
/// @return the exit code: 0 after a signal, 69 when a port or the database cannot be had, 78 when something that the
/// configuration names cannot be used. What went wrong is on stderr then.
[[nodiscard]] int serve(const base::loaded_config& loaded);

}  // namespace concurred::app
