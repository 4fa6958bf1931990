#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace concurred::bench {

/// How an axis is divided and labelled.
enum class plot_axis {
    even,         ///< numbers from 0 on
    times,        ///< microseconds, each decade as wide as the next
    percentiles,  ///< percent below 100, each nine as wide as the next
};

/// One line of a plot.
struct plot_series {
    std::string name;
    std::vector<std::pair<double, double>> points;  ///< in the order of x
};

/// A plot as SVG that scales with its frame and takes its colours from the page (classes `s0` … `s5` for the lines).
/// Holds no script and refers to nothing outside.
struct plot {
    std::string title;
    std::string unit_x;  ///< what is across; the title says what is up
    plot_axis x = plot_axis::even;
    plot_axis y = plot_axis::even;
    std::vector<plot_series> series;

    /// The figure with its title and the names of its lines; a sentence instead when there is nothing to draw.
    [[nodiscard]] std::string html() const;
};

/// Text with the characters that HTML takes for its own escaped.
[[nodiscard]] std::string html_text(std::string_view text);

}  // namespace concurred::bench
