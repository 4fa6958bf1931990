#include "gateway/app/database_jobs.hpp"

#include "auth/spend.hpp"
#include "auth/spend_books.hpp"
#include "gateway/base/clock.hpp"
#include "storage/usage_quarantine.hpp"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace concurred::app {

namespace {

constexpr std::chrono::milliseconds flush_poll{100};
constexpr std::chrono::seconds dead_process_poll{5};
constexpr std::chrono::seconds expiry_poll{10};
constexpr std::chrono::seconds spent_poll{2};

storage::usage_flusher_options flusher_options(shared_state& state, base::logger& log) {
    const base::storage_config& settings = state.settings->storage;
    storage::usage_flusher_options options;
    options.timing.interval = settings.flush_interval;
    options.timing.wake_at = settings.flush_batch;
    options.max_batch = settings.flush_batch;
    options.on_failure = [&log](const base::error& e, unsigned failures) {
        log.error("usage could not be written; it is kept and tried again",
                  {{"cause", base::text_of(e)}, {"failures", failures}});
    };
    options.on_recovery = [&log](unsigned failures) { log.info("usage is written again", {{"failures", failures}}); };
    options.quarantine = [&log, &settings](const base::usage_record& record, const base::error& e) {
        const std::string line = storage::usage_record_json(record);
        if (!settings.spool.empty()) {
            if (auto kept = storage::quarantine_record(settings.spool, record, e); !kept) {
                log.error("a usage record is refused and could not be put aside",
                          {{"cause", base::text_of(kept.error())}});
                return false;
            }
        }
        log.error("a usage record is refused by the database and was put aside",
                  {{"cause", base::text_of(e)}, {"record", std::string_view(line)}});
        return true;
    };
    return options;
}

void take_up_dead_spools(shared_state& state, base::logger& log) {
    auto dead = state.spools->claim();
    if (!dead) {
        log.warn("what dead processes left cannot be looked for", {{"cause", base::text_of(dead.error())}});
        return;
    }
    for (auto& spool : *dead) {
        const storage::dead_spool* const one = spool.get();
        state.flusher->adopt(std::move(spool), [one, &log] {
            const auto found = one->found();
            const auto level =
                found.lost != 0 || found.quarantined != 0 ? base::log_level::error : base::log_level::info;
            log.log(level, "the usage of a process that died was taken up",
                    {{"spool", std::string_view(one->path())},
                     {"settled", found.settled},
                     {"aborted", found.aborted},
                     {"cut_off", found.torn},
                     {"damaged", found.lost},
                     {"files_quarantined", found.quarantined}});
        });
    }
}

/// Other processes on the same database may spend on the same keys.
void learn_what_others_spend(shared_state& state, base::logger& log) {
    std::vector<std::pair<std::string, auth::spend_state*>> budgets;
    state.key_states.each_spender([&](const std::string& key_id, auth::spend_state& spend) {
        if (spend.known.load(std::memory_order_relaxed) && spend.limits().has_budget()) {
            budgets.emplace_back(key_id, &spend);
        }
    });
    const auto now = std::chrono::system_clock::now();
    for (const auto& [key_id, spend] : budgets) {
        const auto spent = auth::read_spent(*state.usage, key_id, now);
        if (!spent) {
            log.warn("what keys have spent could not be read", {{"cause", base::text_of(spent.error())}});
            return;
        }
        spend->known_spent(now, spent->day_nano_usd, spent->month_nano_usd);
    }
}

void start_spool_jobs(shared_state& state, base::logger& database_log, base::logger& log) {
    storage::spool_alarms alarms;
    alarms.on_failure = [&log](const base::error& e) {
        log.error("the usage spool is in trouble", {{"cause", base::text_of(e)}});
        log.flush();
    };
    alarms.on_repaired = [&log] {
        log.info("the usage spool is well again");
        log.flush();
    };
    alarms.on_level = [&log, &state](bool nearly_full) {
        const auto limit = state.spools->budget().limit;
        if (nearly_full) {
            log.error(
                "the usage spool is over 80 % of its limit; when it is full, requests on the platform's keys are "
                "refused",
                {{"limit_bytes", limit}});
        } else {
            log.info("the usage spool is below 80 % of its limit again", {{"limit_bytes", limit}});
        }
        log.flush();
    };
    take_up_dead_spools(state, database_log);
    state.database_thread.every(dead_process_poll,
                                [&state, &database_log] { take_up_dead_spools(state, database_log); });
    state.spools->start(std::move(alarms));
}

}  // namespace

void start_database_jobs(shared_state& state, provider_key_feed& provider_keys, base::logger& database_log,
                         base::logger& spool_log) {
    std::vector<storage::usage_feed*> feeds(state.usage_queues.begin(), state.usage_queues.end());
    base::logger& log = database_log;
    state.flusher = std::make_unique<storage::usage_flusher>(*state.usage, state.keys.get(), std::move(feeds),
                                                             flusher_options(state, log));
    if (state.spools) {
        start_spool_jobs(state, log, spool_log);
    }
    state.database_thread.every(flush_poll, [&state] { state.flusher->tick(std::chrono::steady_clock::now()); });
    state.database_thread.every(expiry_poll, [&state, &log] {
        const auto first = base::unix_day(std::chrono::system_clock::now()) -
                           static_cast<std::int32_t>(state.settings->storage.event_days);
        if (const auto expired = state.usage->expire(first); !expired) {
            log.warn("old usage records could not be removed", {{"cause", base::text_of(expired.error())}});
        }
    });
    state.database_thread.every(spent_poll, [&state, &log] { learn_what_others_spend(state, log); });
    state.database_thread.every(state.settings->storage.change_poll, [&provider_keys, &log] {
        if (auto ok = provider_keys.poll(); !ok) {
            log.warn("changes of provider keys could not be read", {{"cause", base::text_of(ok.error())}});
        }
    });
    state.database_thread.every(state.settings->storage.change_poll, [&state, &log] {
        const auto changed = state.key_changes->poll();
        if (!changed) {
            log.warn("changes of keys could not be read", {{"cause", base::text_of(changed.error())}});
            return;
        }
        for (const storage::api_key_row& row : *changed) {
            state.key_states.invalidate(row.id);
        }
    });
}

}  // namespace concurred::app
