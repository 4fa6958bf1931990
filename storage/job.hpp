#pragma once

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

namespace concurred::storage {

/// Something to call, with whatever it owns. Move-only, so that it may hold a unique_ptr or a completion handler. One
/// allocation each: for work on the database thread, not for the request path.
class job {
public:
    job() = default;

    /// @param function called without arguments; its result is ignored
    template <std::invocable Function>
    requires(!std::same_as<std::remove_cvref_t<Function>, job>)
        job(Function&& function)  // NOLINT(google-explicit-constructor): a lambda is passed where a job is wanted
        : target_(std::make_unique<holder<std::decay_t<Function>>>(std::forward<Function>(function))) {}

    /// @pre holds something
    void operator()() { target_->call(); }
    explicit operator bool() const noexcept { return target_ != nullptr; }

private:
    struct callable {
        virtual ~callable() = default;
        virtual void call() = 0;
    };
    template <class Function>
    struct holder final : callable {
        explicit holder(Function&& f) : function(std::move(f)) {}
        explicit holder(const Function& f) : function(f) {}
        void call() override { static_cast<void>(function()); }
        Function function;
    };

    std::unique_ptr<callable> target_;
};

}  // namespace concurred::storage
