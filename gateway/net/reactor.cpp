#include "gateway/net/reactor.hpp"

#include <boost/asio/io_context.hpp>

#include <sys/epoll.h>

#include <array>
#include <cassert>
#include <system_error>
#include <utility>

namespace concurred::net {

namespace {

constexpr std::size_t events_per_turn = 256;

std::uint64_t tag_of(std::uint32_t index, std::uint32_t generation) noexcept {
    return (std::uint64_t{generation} << 32) | index;
}

}  // namespace

const boost::asio::execution_context::id reactor::id{};

reactor& reactor::of(base::executor ex) {
    return boost::asio::use_service<reactor>(ex.context());
}

reactor::reactor(boost::asio::execution_context& context)
    : service(context), executor_(static_cast<boost::asio::io_context&>(context).get_executor()), epoll_(executor_) {
    const int fd = ::epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0) {
        throw std::system_error(errno, std::system_category(), "epoll_create1");
    }
    epoll_.assign(fd);
}

reactor::~reactor() = default;

// Coroutines that still wait are destroyed, as those that wait for Asio's own objects.
void reactor::shutdown() {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
        entries_[i].reader_.drop();
        entries_[i].writer_.drop();
    }
    boost::system::error_code ignored;
    epoll_.close(ignored);
}

reactor::entry& reactor::add(int fd) {
    if (free_.empty()) {
        entries_.emplace_back(executor_);
        entries_.back().index_ = static_cast<std::uint32_t>(entries_.size() - 1);
        free_.push_back(&entries_.back());
    }
    entry& e = *free_.back();
    free_.pop_back();
    e.readable_ = e.ended_ = false;
    e.writable_ = true;
    ::epoll_event wanted{};
    wanted.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    wanted.data.u64 = tag_of(e.index_, e.generation_);
    if (::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_ADD, fd, &wanted) != 0) {
        e.readable_ = e.ended_ = true;  // the first read finds out what is wrong with it
    }
    return e;
}

void reactor::remove(entry& e) noexcept {
    assert(!e.reader_.has_waiter() && !e.writer_.has_waiter());
    on_end(e, nullptr, nullptr);
    ++e.generation_;
    free_.push_back(&e);
}

base::task<> reactor::wait(entry& e, wait_type what) {
    ++interested_;
    arm();
    return what == wait_type::read ? e.reader_.wait() : e.writer_.wait();
}

void reactor::cancel(entry& e) noexcept {
    for (base::event* waiting : {&e.reader_, &e.writer_}) {
        if (waiting->has_waiter()) {
            lose_interest();
            waiting->ring();
        }
    }
}

void reactor::on_end(entry& e, void (*act)(void* context), void* context) {
    const bool had = std::exchange(e.on_end_, act) != nullptr;
    e.context_ = context;
    if (act != nullptr && !had) {
        ++interested_;
        arm();
    } else if (act == nullptr && had) {
        lose_interest();
    }
}

// The wait for our descriptor must not keep the loop running when nobody waits for a socket.
void reactor::lose_interest() noexcept {
    if (--interested_ == 0 && armed_) {
        boost::system::error_code ignored;
        epoll_.cancel(ignored);
    }
}

// A wait for our descriptor ends when any socket's change is not told yet.
void reactor::arm() {
    if (armed_) {
        return;
    }
    armed_ = true;
    epoll_.async_wait(boost::asio::posix::descriptor_base::wait_read, [this](boost::system::error_code ec) {
        armed_ = false;
        if (!ec) {
            collect();
        } else if (interested_ != 0 && epoll_.is_open()) {
            arm();  // somebody came after the wait was cancelled
        }
    });
}

void reactor::collect() {
    std::array<::epoll_event, events_per_turn> events;
    const int count = ::epoll_wait(epoll_.native_handle(), events.data(), static_cast<int>(events.size()), 0);
    collecting_ = true;
    for (int i = 0; i < count; ++i) {
        const ::epoll_event& event = events[static_cast<std::size_t>(i)];
        apply(event.data.u64, event.events);
    }
    collecting_ = false;
    if (interested_ != 0) {
        arm();
    }
}

// Whoever is resumed may remove this socket, and others.
bool reactor::same(const entry& e, std::uint32_t generation) const noexcept {
    return e.generation_ == generation;
}

void reactor::resume(base::event& waiting) {
    if (waiting.has_waiter()) {
        lose_interest();
        waiting.resume();
    }
}

void reactor::apply(std::uint64_t tag, std::uint32_t events) {
    entry& e = entries_[static_cast<std::uint32_t>(tag)];
    const auto generation = static_cast<std::uint32_t>(tag >> 32);
    if (!same(e, generation)) {
        return;
    }
    const bool end = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    const bool broken = (events & (EPOLLHUP | EPOLLERR)) != 0;
    e.ended_ = e.ended_ || end;
    e.readable_ = e.readable_ || end || (events & EPOLLIN) != 0;
    e.writable_ = e.writable_ || broken || (events & EPOLLOUT) != 0;
    if (e.readable_) {
        resume(e.reader_);
    }
    if (same(e, generation) && e.writable_) {
        resume(e.writer_);
    }
    if (same(e, generation) && e.ended_ && e.on_end_ != nullptr) {
        const auto act = e.on_end_;
        void* const context = e.context_;
        on_end(e, nullptr, nullptr);
        act(context);
    }
}

}  // namespace concurred::net
