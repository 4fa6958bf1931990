#pragma once

#include "gateway/app/load.hpp"
#include "gateway/app/provider_export.hpp"
#include "storage/usage_store.hpp"

#include <span>
#include <string>

namespace concurred::app {

struct reconcile_options {
    config_options config;
    std::string file;      ///< the provider's own export
    std::string provider;  ///< whose it is
};

/// Compares a provider's export with what was booked for it, by UTC day and model, on the days of the export, and
/// prints what differs. Requests without the provider's figures (those of a killed process, of clients that left) may
/// be on either side: they are the difference that is allowed.
/// @return exit_ok when every difference is within those; exit_failure when not, or when something went wrong
[[nodiscard]] int reconcile_usage(const reconcile_options& options);

/// The comparison as a table, one line for each day and model.
struct reconciliation {
    std::string table;
    std::size_t lines = 0;
    std::size_t unexplained = 0;  ///< lines that differ by more than the estimated requests explain
};

/// @param ours a report by day and model, of one provider
[[nodiscard]] reconciliation reconcile(std::span<const exported_usage> theirs, const storage::usage_report& ours);

}  // namespace concurred::app
