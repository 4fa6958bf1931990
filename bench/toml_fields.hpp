#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace concurred::bench {

/// One table of a TOML text, read strictly: each key is asked for with its type, and what was not asked for or has
/// another type is a complaint with its line. Values that are absent leave their place as it is.
class toml_fields {
public:
    /// What the texts of all tables have in common.
    struct document {
        std::string name;
        std::vector<std::string> complaints;
    };

    /// Parses a text; what is no TOML is a complaint, and the table is empty. \param notes outlives everything read
    toml_fields(std::string_view text, document& notes);
    toml_fields(toml_fields&&) noexcept;
    toml_fields(const toml_fields&) = delete;
    toml_fields& operator=(const toml_fields&) = delete;
    toml_fields& operator=(toml_fields&&) = delete;
    ~toml_fields();

    void get(std::string_view key, std::string& value);
    void get(std::string_view key, bool& value);
    void get(std::string_view key, double& value);
    void get(std::string_view key, std::uint64_t& value);
    void get(std::string_view key, std::uint32_t& value);
    void get(std::string_view key, std::vector<unsigned>& value);
    void get(std::string_view key, std::chrono::milliseconds& value);  ///< "250ms", "10s", "5m"
    void get_size(std::string_view key, std::uint64_t& value);         ///< a number of bytes or "16KiB"

    /// Each table of an array of tables, in turn.
    void each(std::string_view key, const std::function<void(toml_fields&)>& visit);
    /// Each table within a table, with its name.
    void each_named(std::string_view key, const std::function<void(const std::string&, toml_fields&)>& visit);
    /// The table, if it is there.
    void within(std::string_view key, const std::function<void(toml_fields&)>& visit);
    /// Each value of a table as TOML.
    void each_value(std::string_view key, const std::function<void(const std::string&, const std::string&)>& visit);

    void complain(std::string_view key, const std::string& what);
    /// Complains of every key that was not asked for. Tables that were visited do so by themselves.
    void finish();

private:
    struct table;
    explicit toml_fields(std::unique_ptr<table> from);
    template <class Value>
    [[nodiscard]] bool take(std::string_view key, std::string_view wanted, Value& value);

    std::unique_ptr<table> table_;
};

}  // namespace concurred::bench
