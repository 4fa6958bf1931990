#include "gateway/app/process.hpp"

#include "gateway/app/control.hpp"
#include "gateway/app/database_jobs.hpp"
#include "gateway/app/exit_code.hpp"
#include "gateway/app/provider_key_feed.hpp"
#include "gateway/app/session_setup.hpp"
#include "gateway/app/shard.hpp"

#include <malloc.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <boost/asio/ip/tcp.hpp>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

namespace concurred::app {

namespace {

using base::result;

constexpr std::chrono::seconds last_flush{10};

int fail(const base::error& e) {
    std::fprintf(stderr, "concurred: %s\n", std::string(base::text_of(e)).c_str());
    return e.code == base::errc::service_unavailable ? exit_unavailable : exit_configuration;
}

// Every connection is a descriptor, and a stream is two.
void raise_descriptor_limit() noexcept {
    ::rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
    }
}

// Freeing a large block raises the size from which blocks are mapped, and from then on the memory of large bodies would
// stay with the process.
void return_large_blocks() noexcept {
#ifdef M_MMAP_THRESHOLD
    static_cast<void>(::mallopt(M_MMAP_THRESHOLD, 1'048'576));
#endif
}

// A core dump would hold the providers' keys.
void forbid_core_dumps() noexcept {
    const ::rlimit none{0, 0};
    static_cast<void>(::setrlimit(RLIMIT_CORE, &none));
    static_cast<void>(::prctl(PR_SET_DUMPABLE, 0));
}

// Listeners share their port between shards, and so the kernel would let a second gateway share it too, unnoticed.
result<void> check_port_is_free(const base::endpoint_config& address) {
    namespace asio = boost::asio;
    boost::system::error_code ec;
    const auto ip = asio::ip::make_address(server::numeric_host(address), ec);
    if (ec || address.port == 0) {
        return {};
    }
    asio::io_context io;
    asio::ip::tcp::acceptor probe(io);
    const asio::ip::tcp::endpoint endpoint(ip, address.port);
    probe.open(endpoint.protocol(), ec);
    probe.set_option(asio::socket_base::reuse_address(true), ec);
    probe.bind(endpoint, ec);
    if (!ec) {
        probe.listen(1, ec);
    }
    if (!ec) {
        return {};
    }
    std::string what =
        "Cannot listen on " + address.host + ":" + std::to_string(address.port) + ": " + ec.message() + ".";
    if (ec == boost::system::errc::address_in_use) {
        what += " Another program, perhaps another gateway, uses this port: stop it, or choose another one.";
    }
    return base::gateway_error(base::errc::service_unavailable, std::move(what), ec);
}

// Where the gateway is the issuer of sessions, somebody must be able to get the first one.
void offer_first_login(shared_state& state, const base::endpoint_config& address, base::logger& log) {
    if (!state.settings->supabase.url.empty()) {
        return;
    }
    const auto any = state.login_links->any();
    if (!any || *any) {
        return;
    }
    const auto link =
        make_login_link(*state.settings, *state.login_links, "local", address, std::chrono::system_clock::now());
    if (!link) {
        log.warn("no link for signing in could be made", {{"cause", base::text_of(link.error())}});
        return;
    }
    // A credential in the log, this one time: it works once, for minutes, and there is no other place where somebody
    // who starts this for the first time looks.
    log.info("sign in to the dashboard, once and within 15 minutes; for another link: concurred login-link",
             {{"link", std::string_view(*link)}});
}

result<std::vector<std::unique_ptr<shard>>> make_shards(shared_state& state, unsigned count,
                                                        base::endpoint_config& address) {
    std::vector<std::unique_ptr<shard>> shards;
    for (unsigned i = 0; i < count; ++i) {
        auto made = shard::make(state, i, count);
        if (!made) {
            return made.error();
        }
        auto bound = (*made)->listen(address);
        if (!bound) {
            return bound.error();
        }
        address = *bound;  // a port of 0 is chosen once, for all
        shards.push_back(std::move(*made));
    }
    return shards;
}

}  // namespace

int serve(const base::loaded_config& loaded) {
    const base::config& settings = *loaded.values;
    static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
    raise_descriptor_limit();
    return_large_blocks();
    forbid_core_dumps();
    const unsigned count =
        settings.server.shards != 0 ? settings.server.shards : std::max(1U, std::thread::hardware_concurrency());

    for (const base::endpoint_config* address : {&settings.server.listen, &settings.server.admin_listen}) {
        if (auto free = check_port_is_free(*address); !free) {
            return fail(free.error());
        }
    }
    auto state = make_shared_state(loaded.values, count);
    if (!state) {
        return fail(state.error());
    }
    base::logger log((*state)->log_writer, (*state)->log_options);
    base::logger database_log((*state)->log_writer, (*state)->log_options);
    base::endpoint_config address = settings.server.listen;
    auto shards = make_shards(**state, count, address);
    if (!shards) {
        return fail(shards.error());
    }
    control main_loop(**state, *shards, log);
    auto admin = main_loop.listen(settings.server.admin_listen);
    if (!admin) {
        return fail(admin.error());
    }
    for (const std::string& warning : loaded.warnings) {
        log.warn("configuration", {{"warning", std::string_view(warning)}});
    }
    offer_first_login(**state, address, log);
    provider_key_feed provider_keys(*(*state)->provider_keys);
    provider_keys.connect(*shards);
    if (auto ok = provider_keys.poll(); !ok) {
        return fail(ok.error());
    }
    (*state)->provider_key_changed = [&provider_keys] {
        // What cannot be read now is read by the next poll.
        static_cast<void>(provider_keys.poll());
    };
    base::logger spool_log((*state)->log_writer, (*state)->log_options);
    start_database_jobs(**state, provider_keys, database_log, spool_log);
    std::vector<std::thread> threads;
    for (const auto& one : *shards) {
        threads.emplace_back([&one] { one->run(); });
    }
    log.info("listening", {{"address", std::string_view(address.host)},
                           {"port", address.port},
                           {"tls", (*state)->server_tls != nullptr},
                           {"admin_port", admin->port},
                           {"shards", count},
                           {"version", std::string_view(CONCURRED_VERSION)}});
    log.flush();

    main_loop.run();

    for (std::thread& thread : threads) {
        thread.join();
    }
    const auto lost = (*state)->finish_database(std::chrono::steady_clock::now() + last_flush);
    if (lost != 0) {
        if ((*state)->spools) {
            log.error("usage records could not be written; they stay in the spool for the next start",
                      {{"records", lost}});
        } else {
            log.error("usage records could not be written and are lost", {{"records", lost}});
        }
    }
    log.info("stopped");
    database_log.flush();
    spool_log.flush();
    log.flush();
    return 0;
}

}  // namespace concurred::app
