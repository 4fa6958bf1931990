#pragma once

#include "gateway/base/event.hpp"
#include "gateway/base/executor.hpp"

#include <boost/asio/execution_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace concurred::net {

/// What to wait for on a socket.
enum class wait_type : std::uint8_t { read, write };

/// Knows which sockets of a shard are ready. The kernel tells each change once (edge-triggered epoll), and it is kept
/// until a read or a write finds otherwise. So a socket is registered once in its life, and neither waiting nor
/// watching for the peer's departure costs a system call, where Asio's own wait costs one each time (`epoll_ctl`).
///
/// A service of the `io_context`, which sees its one descriptor. Waits keep `run` going as Asio's own do.
class reactor final : public boost::asio::execution_context::service {
public:
    using key_type = reactor;
    static const boost::asio::execution_context::id id;

    /// One registered socket. Belongs to whoever holds the socket.
    class entry {
    public:
        explicit entry(base::executor ex) noexcept : reader_(ex), writer_(ex) {}

        /// A read may find something: data, the end, an error.
        [[nodiscard]] bool readable() const noexcept { return readable_; }
        [[nodiscard]] bool writable() const noexcept { return writable_; }
        /// The peer has closed its sending side, or the connection is broken.
        [[nodiscard]] bool ended() const noexcept { return ended_; }

        /// A read has taken all there was. After the peer's end there is always that end to be found.
        void drained() noexcept { readable_ = ended_; }
        void blocked() noexcept { writable_ = false; }

    private:
        friend class reactor;
        base::event reader_;
        base::event writer_;
        void (*on_end_)(void* context) = nullptr;
        void* context_ = nullptr;
        std::uint32_t index_ = 0;
        std::uint32_t generation_ = 0;  // tells events of an earlier socket in the same place
        bool readable_ = false;
        bool writable_ = true;
        bool ended_ = false;
    };

    [[nodiscard]] static reactor& of(base::executor ex);
    explicit reactor(boost::asio::execution_context& context);
    ~reactor() override;

    /// Registers a non-blocking socket; it stays the caller's. The entry's address is stable until `remove`.
    [[nodiscard]] entry& add(int fd);
    /// Forgets it; call before the socket is closed. Nobody may wait for it.
    void remove(entry& e) noexcept;

    /// Completes when the socket is ready, or after `cancel`. At most one coroutine may wait for each of both.
    /// Ask the entry first: it must not be ready already.
    [[nodiscard]] base::task<> wait(entry& e, wait_type what);
    /// Ends the waits of a socket; they complete through the shard's queue, never inside this call.
    void cancel(entry& e) noexcept;

    /// `act(context)` runs once, from the shard's loop, when the peer ends the connection from now on. Null: no more.
    void on_end(entry& e, void (*act)(void* context), void* context);

    /// Somebody waits, so the kernel is asked with each turn of the loop and what the entries say is up to date.
    [[nodiscard]] bool awake() const noexcept { return armed_ || collecting_; }

private:
    void shutdown() override;
    void arm();
    void lose_interest() noexcept;
    void collect();
    void apply(std::uint64_t tag, std::uint32_t events);
    [[nodiscard]] bool same(const entry& e, std::uint32_t generation) const noexcept;
    void resume(base::event& waiting);

    base::executor executor_;
    boost::asio::posix::basic_stream_descriptor<base::executor> epoll_;
    std::deque<entry> entries_;
    std::vector<entry*> free_;
    std::size_t interested_ = 0;  // waits and watches
    bool armed_ = false;
    bool collecting_ = false;
};

}  // namespace concurred::net
