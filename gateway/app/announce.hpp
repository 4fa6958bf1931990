#pragma once

#include "auth/key_admin.hpp"
#include "gateway/base/config.hpp"

namespace concurred::app {

/// Tells the gateways that are running of a change that a command has made, through Redis as they tell each other. They
/// act on it within a second. Without Redis they notice by themselves: in the database, or when they verify the key
/// again. Blocks while it tells.
class change_announcer final : public auth::key_change_listener {
public:
    /// @param settings outlive it
    explicit change_announcer(const base::config& settings) noexcept : settings_(settings) {}

    /// The change is made, so what cannot be told is a remark to the operator and no failure.
    [[nodiscard]] base::task<> changed(storage::api_key_row row) override;

private:
    const base::config& settings_;
};

}  // namespace concurred::app
