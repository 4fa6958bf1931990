#pragma once

#include "gateway/base/executor.hpp"
#include "gateway/net/address_list.hpp"

#include <boost/system/error_code.hpp>

#include <functional>
#include <memory>
#include <string>

namespace concurred::net {

/// Whoever knows the addresses of names: the seam the resolver is tested with.
class name_service {
public:
    /// The addresses; or, with an error, none.
    using answer = std::function<void(boost::system::error_code, const address_list&)>;

    name_service() = default;
    name_service(const name_service&) = delete;
    name_service& operator=(const name_service&) = delete;
    virtual ~name_service() = default;

    /// Calls `done` once, on the shard, never from within this call. A lookup in progress cannot be called back.
    virtual void lookup(const std::string& host, answer done) = 0;
};

/// The operating system's resolver (hosts file, DNS, whatever it is set up for). It blocks, so it runs in a helper
/// thread of the executor's context, one lookup after another.
[[nodiscard]] std::unique_ptr<name_service> make_system_names(base::executor ex);

}  // namespace concurred::net
