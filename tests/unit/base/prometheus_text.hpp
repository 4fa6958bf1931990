#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace concurred::base::test {

/// A line of a metrics page.
struct prometheus_sample {
    std::string name;
    std::map<std::string, std::string> labels;
    double value = 0;
    std::string value_text;
};

struct prometheus_family {
    std::string type;
    std::string help;
    std::vector<prometheus_sample> samples;
};

/// Reads a page in the text format 0.0.4 and checks what the format asks for: HELP and TYPE once and before the
/// samples, samples of a family together, names and escapes in order, no series twice; of histograms: ascending bounds,
/// counts that never fall, a last bucket +Inf equal to _count, and _sum. Throws std::runtime_error that says what is
/// wrong and in which line. Source: prometheus.io/docs/instrumenting/exposition_formats.
[[nodiscard]] std::map<std::string, prometheus_family> parse_prometheus(std::string_view page);

/// The value of a sample of the page; throws when it is not there.
[[nodiscard]] double value_of(const std::map<std::string, prometheus_family>& page, const std::string& family,
                              const std::map<std::string, std::string>& labels = {}, std::string_view suffix = {});

}  // namespace concurred::base::test
