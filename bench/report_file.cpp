#include "bench/report_file.hpp"

#include "bench/report_json.hpp"
#include "gateway/base/config_text.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <fstream>

namespace concurred::bench {
namespace {

constexpr std::size_t largest_report = 64u << 20;

}  // namespace

std::string to_text(const boost::json::object& report) {
    std::string text = "{";
    const char* separator = "\n";
    for (const auto& [name, value] : report) {
        text.append(separator).append(boost::json::serialize(name)).append(": ");
        separator = ",\n";
        const auto* items = value.if_array();
        if (items == nullptr) {
            text.append(boost::json::serialize(value));
            continue;
        }
        const char* between = "\n  ";
        text.append("[");
        for (const auto& item : *items) {
            text.append(between).append(boost::json::serialize(item));
            between = ",\n  ";
        }
        text.append("\n]");
    }
    return text.append("\n}\n");
}

std::optional<boost::json::object> read_report(const std::string& file, std::string& complaint) {
    const base::file_text text = base::read_file(file, largest_report);
    if (!text.fault.empty()) {
        complaint = file + ": " + text.fault;
        return std::nullopt;
    }
    boost::system::error_code failure;
    boost::json::value read = boost::json::parse(text.text, failure);
    boost::json::object* report = failure ? nullptr : read.if_object();
    const auto* schema = report == nullptr ? nullptr : report->if_contains("schema");
    if (schema == nullptr || *schema != boost::json::value(report_schema)) {
        complaint = file + ": is no report of the form " + std::string(report_schema);
        return std::nullopt;
    }
    return std::move(*report);
}

bool write_text(const std::string& file, const std::string& text) {
    std::ofstream out(file, std::ios::trunc);
    out << text;
    out.close();
    return out.good();
}

}  // namespace concurred::bench
