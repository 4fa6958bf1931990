#include "storage/spool_segment.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

namespace concurred::storage {

namespace {

std::uint8_t* map_file(int file, std::size_t size) noexcept {
    void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    return memory == MAP_FAILED ? nullptr : static_cast<std::uint8_t*>(memory);
}

}  // namespace

base::error spool_error(std::string what) {
    const boost::system::error_code cause(errno, boost::system::system_category());
    return base::gateway_error(base::errc::service_unavailable,
                               "usage spool: " + std::move(what) + ": " + cause.message(), cause);
}

std::string segment_name(std::uint32_t number) {
    char text[32];
    std::snprintf(text, sizeof(text), "%010u.seg", number);
    return text;
}

base::result<std::unique_ptr<spool_segment>> spool_segment::create(int folder, const spool_header& header,
                                                                   std::size_t bytes) {
    const std::string name = segment_name(header.segment);
    unique_fd file(::openat(folder, name.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600));
    if (!file) {
        return spool_error("cannot make segment " + name);
    }
    const auto give_up = [&](const char* what) {
        base::error e = spool_error(what + (" segment " + name));
        ::unlinkat(folder, name.c_str(), 0);
        return e;
    };
    if (const int failed = ::posix_fallocate(file.get(), 0, static_cast<off_t>(bytes)); failed != 0) {
        errno = failed;
        return give_up("no space for");
    }
    std::uint8_t* const data = map_file(file.get(), bytes);
    if (data == nullptr) {
        return give_up("cannot map");
    }
    std::unique_ptr<spool_segment> made(new spool_segment(folder, name, std::move(file), data, bytes));
    write_header(made->bytes(), header);
    made->seal_ = make_seal(header.spool, header.segment);
    made->number_ = header.segment;
    return made;
}

base::result<std::unique_ptr<spool_segment>> spool_segment::open(int folder, const std::string& name,
                                                                 const spool_id& spool) {
    unique_fd file(::openat(folder, name.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    struct ::stat facts {};
    if (!file || ::fstat(file.get(), &facts) != 0) {
        return spool_error("cannot open segment " + name);
    }
    const auto foreign = [&] {
        return base::gateway_error(base::errc::conflict, "usage spool: '" + name + "' is not a segment of this spool");
    };
    if (!S_ISREG(facts.st_mode) || facts.st_size < static_cast<off_t>(spool_header_bytes)) {
        return foreign();
    }
    const auto size = static_cast<std::size_t>(facts.st_size);
    std::uint8_t* const data = map_file(file.get(), size);
    if (data == nullptr) {
        return spool_error("cannot map segment " + name);
    }
    std::unique_ptr<spool_segment> made(new spool_segment(folder, name, std::move(file), data, size));
    const auto header = read_header(made->bytes());
    if (std::all_of(data, data + spool_header_bytes, [](std::uint8_t b) { return b == 0; })) {
        return base::gateway_error(base::errc::not_found, "usage spool: segment " + name + " was never used");
    }
    if (!header || header->spool != spool || segment_name(header->segment) != name) {
        return foreign();
    }
    made->seal_ = make_seal(spool, header->segment);
    made->number_ = header->segment;
    made->written.store(size, std::memory_order_relaxed);
    return made;
}

spool_segment::~spool_segment() {
    ::munmap(data_, size_);
}

std::size_t spool_segment::mark() const noexcept {
    const auto offset =
        std::atomic_ref(*reinterpret_cast<std::uint64_t*>(data_ + spool_mark_offset)).load(std::memory_order_relaxed);
    return offset <= size_ ? static_cast<std::size_t>(offset) : 0;  // nonsense: apply all of it again
}

void spool_segment::set_mark(std::size_t offset) noexcept {
    std::atomic_ref(*reinterpret_cast<std::uint64_t*>(data_ + spool_mark_offset))
        .store(offset, std::memory_order_relaxed);
}

base::result<void> spool_segment::sync() noexcept {
    const std::size_t upto = written.load(std::memory_order_acquire);
    if (upto == synced) {
        return {};
    }
    if (::fdatasync(file_.get()) != 0) {
        return spool_error("cannot sync segment " + name_);
    }
    synced = upto;
    return {};
}

void spool_segment::remove() noexcept {
    ::unlinkat(folder_, name_.c_str(), 0);
}

}  // namespace concurred::storage
