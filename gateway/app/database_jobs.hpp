#pragma once

#include "gateway/app/provider_key_feed.hpp"
#include "gateway/app/shared_state.hpp"
#include "gateway/base/logger.hpp"

namespace concurred::app {

/// Starts what is done in the background for the stores: writing usage, taking up what dead processes left, forgetting
/// old records, looking for keys that others changed, keeping the files of the spool.
/// @param provider_keys outlives the database thread
/// @param database_log used on the database thread alone, from now until it ends; outlives it
/// @param spool_log the same for the spool's thread
void start_database_jobs(shared_state& state, provider_key_feed& provider_keys, base::logger& database_log,
                         base::logger& spool_log);

}  // namespace concurred::app
