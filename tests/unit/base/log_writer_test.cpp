#include "gateway/base/log_writer.hpp"

#include "gateway/base/log_destination.hpp"
#include "gateway/base/log_queue.hpp"
#include "tests/unit/base/log_capture.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>

using namespace concurred::base;
using test::far_away;
using test::owned_fd;

namespace {

struct pipe_ends {
    pipe_ends() : pipe_ends(open()) {}
    owned_fd read;
    owned_fd write;

private:
    explicit pipe_ends(std::array<int, 2> fds) : read(fds[0]), write(fds[1]) {}
    static std::array<int, 2> open() {
        std::array<int, 2> fds{-1, -1};
        REQUIRE(::pipe2(fds.data(), O_CLOEXEC) == 0);
        return fds;
    }
};

/// Reads until the other end is closed.
std::string read_all(int fd) {
    std::string text;
    std::array<char, 65536> part;
    for (;;) {
        const auto size = ::read(fd, part.data(), part.size());
        if (size <= 0) {
            return text;
        }
        text.append(part.data(), static_cast<std::size_t>(size));
    }
}

std::string block_of(std::size_t lines, std::size_t line_size = 99) {
    std::string block;
    for (std::size_t i = 0; i < lines; ++i) {
        (block += std::string(line_size, 'x')) += '\n';
    }
    return block;
}

/// Submits blocks of 100 lines and drops what is not taken, as the access log does.
void submit_blocks(log_writer& writer, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        std::string block = block_of(100);
        if (!writer.submit(log_stream::access, block)) {
            writer.drop(block);
        }
    }
}

std::size_t lines_in(std::string_view text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

TEST_SUITE("base/log_writer") {
    TEST_CASE("a queue gives blocks back in order and refuses what is above its capacity") {
        log_queue queue(4);
        std::string block;
        CHECK_FALSE(queue.pop(block));
        for (int round = 0; round < 3; ++round) {
            for (int i = 0; i < 4; ++i) {
                block = std::to_string(i);
                CHECK(queue.push(block));
                CHECK(block.empty());
            }
            block = "kept";
            CHECK_FALSE(queue.push(block));
            CHECK(block == "kept");
            for (int i = 0; i < 4; ++i) {
                CHECK(queue.pop(block));
                CHECK(block == std::to_string(i));
            }
            CHECK_FALSE(queue.pop(block));
        }
        CHECK(queue.pushed() == 12);
    }

    TEST_CASE("several threads push without losing or mixing blocks") {
        log_queue queue(8);
        constexpr int per_thread = 5000;
        const auto produce = [&queue](char name) {
            for (int i = 0; i < per_thread; ++i) {
                std::string block = name + std::to_string(i);
                while (!queue.push(block)) {
                    std::this_thread::yield();
                }
            }
        };
        std::thread a(produce, 'a');
        std::thread b(produce, 'b');
        std::array<int, 2> next{};
        std::string block;
        while (next[0] + next[1] < 2 * per_thread) {
            if (!queue.pop(block)) {
                std::this_thread::yield();
                continue;
            }
            int& expected = next[block[0] == 'a' ? 0 : 1];
            if (block.substr(1) != std::to_string(expected)) {
                FAIL_CHECK("expected " << expected << ", got " << block);
            }
            ++expected;
        }
        a.join();
        b.join();
    }

    TEST_CASE("each stream reaches its own descriptor") {
        test::log_capture capture;
        std::string event = "event\n";
        std::string access = "first\nsecond\n";
        CHECK(capture.writer.submit(log_stream::events, event));
        CHECK(capture.writer.submit(log_stream::access, access));
        CHECK(event.empty());
        CHECK(capture.event_lines() == std::vector<std::string>{"event"});
        CHECK(capture.access_lines() == std::vector<std::string>{"first", "second"});
        CHECK(capture.writer.dropped() == 0);
    }

    TEST_CASE("a reader that is stuck holds nobody up, and every line is either read or counted") {
        pipe_ends pipe;
        const owned_fd events = test::memory_file();
        log_writer writer({events.get(), pipe.write.get(), 8});
        // 1,000 blocks of 10,000 bytes; the pipe takes 65,536 bytes, the queue 8 blocks, the thread holds one more.
        submit_blocks(writer, 1000);
        CHECK(writer.dropped() >= (1000 - 8 - 1 - 7) * 100);
        CHECK_FALSE(writer.flush(std::chrono::steady_clock::now()));

        std::string event = "not held up\n";
        CHECK(writer.submit(log_stream::events, event));
        while (test::content_of(events).empty()) {
            std::this_thread::yield();
        }

        CHECK(writer.stop(std::chrono::steady_clock::now()));
        pipe.write.reset();
        CHECK(lines_in(read_all(pipe.read.get())) + writer.dropped() == 1000 * 100);
    }

    TEST_CASE("a reader that comes back gets what still waits") {
        pipe_ends pipe;
        log_writer writer({-1, pipe.write.get(), 64});
        submit_blocks(writer, 20);  // 200,000 bytes
        CHECK_FALSE(writer.flush(std::chrono::steady_clock::now()));
        std::string text;
        std::thread reader([&] { text = read_all(pipe.read.get()); });
        CHECK(writer.flush(far_away()));
        pipe.write.reset();
        reader.join();
        CHECK(text == block_of(2000));
        CHECK(writer.dropped() == 0);
    }

    TEST_CASE("a pipe without a reader costs its lines and nothing else") {
        // SIGPIPE has its default here, which would end the test program.
        pipe_ends pipe;
        pipe.read.reset();
        log_writer writer({-1, pipe.write.get(), 8});
        std::string block = block_of(3);
        CHECK(writer.submit(log_stream::access, block));
        CHECK(writer.flush(far_away()));
        CHECK(writer.dropped() == 3);
        block = block_of(2);
        CHECK(writer.submit(log_stream::access, block));
        CHECK(writer.flush(far_away()));
        CHECK(writer.dropped() == 5);
    }

    TEST_CASE("a full disk costs lines and is tried again") {
        const owned_fd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
        log_writer writer({-1, full.get(), 8});
        for (std::size_t i = 1; i <= 3; ++i) {
            std::string block = block_of(2);
            CHECK(writer.submit(log_stream::access, block));
            CHECK(writer.flush(far_away()));
            CHECK(writer.dropped() == 2 * i);
        }
    }

    TEST_CASE("a descriptor that is not open loses its lines; one below zero is no destination at all") {
        log_writer writer({-1, 1'000'000, 8});
        std::string block = "a\n";
        CHECK(writer.submit(log_stream::access, block));
        block = "b\n";
        CHECK(writer.submit(log_stream::events, block));
        CHECK(writer.flush(far_away()));
        CHECK(writer.dropped() == 1);
    }

    TEST_CASE("a line that a full disk cut is ended before the next one") {
        const owned_fd file = test::memory_file();
        REQUIRE(::ftruncate(file.get(), 8192) == 0);
        REQUIRE(::fcntl(file.get(), F_ADD_SEALS, F_SEAL_GROW) == 0);
        log_destination destination(file.get());
        const std::string line(10'000, 'x');
        std::string_view rest = line;
        CHECK(destination.write(rest) == log_destination::outcome::failed);
        REQUIRE(rest.size() == 10'000 - 8192);
        // Room again.
        REQUIRE(::lseek(file.get(), 0, SEEK_SET) == 0);
        rest = "next\n";
        CHECK(destination.write(rest) == log_destination::outcome::written);
        CHECK(test::content_of(file).substr(0, 6) == "\nnext\n");
        rest = "and next\n";
        CHECK(destination.write(rest) == log_destination::outcome::written);
        CHECK(test::content_of(file).substr(0, 15) == "\nnext\nand next\n");
    }

    TEST_CASE("a socket and a terminal that nobody reads say so") {
        std::array<int, 2> pair{-1, -1};
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) == 0);
        const owned_fd near(pair[0]);
        const owned_fd far(pair[1]);
        const owned_fd master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
        REQUIRE(::grantpt(master.get()) == 0);
        REQUIRE(::unlockpt(master.get()) == 0);
        const owned_fd terminal(::open(::ptsname(master.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
        for (const int fd : {near.get(), terminal.get()}) {
            log_destination destination(fd);
            const std::string block = block_of(100'000);
            std::string_view rest = block;
            CHECK(destination.write(rest) == log_destination::outcome::blocked);
            CHECK(rest.size() < block.size());
            CHECK((::fcntl(fd, F_GETFL) & O_NONBLOCK) == 0);
        }
    }

    TEST_CASE("stopping writes what is left, and twice is once") {
        test::log_capture capture;
        for (int i = 0; i < 50; ++i) {
            std::string block = block_of(10);
            CHECK(capture.writer.submit(log_stream::access, block));
        }
        CHECK(capture.writer.stop(far_away()));
        CHECK(capture.writer.stop(far_away()));
        CHECK(lines_in(test::content_of(capture.access)) == 500);
    }
}
