#include "bench/svg_plot.hpp"

#include "bench/report_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace concurred::bench {
namespace {

constexpr double width = 420;
constexpr double height = 250;
constexpr double left = 52;
constexpr double right = 408;
constexpr double top = 10;
constexpr double bottom = 212;

/// From values to places on one axis.
struct scale {
    plot_axis kind;
    double low = 0;
    double high = 1;
    double from;  // place of `low`
    double to;

    [[nodiscard]] double flat(double value) const {
        switch (kind) {
            case plot_axis::times:
                return std::log10(std::max(value, 1.0));
            case plot_axis::percentiles:
                return -std::log10(std::max(1 - value / 100, 1e-6));
            case plot_axis::even:
                break;
        }
        return value;
    }
    [[nodiscard]] double place(double value) const {
        const double share = (flat(value) - flat(low)) / (flat(high) - flat(low));
        return from + std::clamp(share, 0.0, 1.0) * (to - from);
    }
};

struct tick {
    double value;
    std::string text;
};

std::string short_number(double value) {
    return value >= 1e6   ? fmt::format("{:g}M", value / 1e6)
           : value >= 1e4 ? fmt::format("{:g}k", value / 1e3)
                          : fmt::format("{:g}", value);
}

std::string short_time(double us) {
    return us >= 1e6   ? fmt::format("{:g} s", us / 1e6)
           : us >= 1e3 ? fmt::format("{:g} ms", us / 1e3)
                       : fmt::format("{:g} us", us);
}

std::vector<tick> even_ticks(double high) {
    const double step = std::pow(10, std::floor(std::log10(high / 2)));
    const double wide = high / step > 10 ? step * 5 : high / step > 4 ? step * 2 : step;
    std::vector<tick> ticks;
    for (int i = 0; i * wide <= high * 1.0001; ++i) {
        ticks.push_back({i * wide, short_number(i * wide)});
    }
    return ticks;
}

/// Chooses the ends of an axis and where it is marked.
std::vector<tick> lay_out(scale& axis, double low, double high) {
    std::vector<tick> ticks;
    switch (axis.kind) {
        case plot_axis::even:
            axis.low = 0;
            axis.high = high > 0 ? high : 1;
            return even_ticks(axis.high);
        case plot_axis::times:
            axis.low = std::pow(10, std::floor(std::log10(std::max(low, 1.0))));
            axis.high = std::pow(10, std::ceil(std::log10(std::max(high, axis.low * 10))));
            for (double at = axis.low; at <= axis.high * 1.01; at *= 10) {
                ticks.push_back({at, short_time(at)});
            }
            return ticks;
        case plot_axis::percentiles:
            axis.low = 0;
            axis.high = std::max(high, 99.0);
            for (const double at : {0.0, 50.0, 90.0, 99.0, 99.9, 99.99, 99.999}) {
                if (at <= axis.high * 1.0000001) {
                    ticks.push_back({at, fmt::format("{:g}", at)});
                }
            }
            break;
    }
    return ticks;
}

void add_grid(std::string& out, const scale& x, const std::vector<tick>& marks_x, const scale& y,
              const std::vector<tick>& marks_y) {
    for (const tick& mark : marks_x) {
        const double at = x.place(mark.value);
        out += fmt::format(
            R"(<path class="g" d="M{0:.1f} {1}V{2}"/><text x="{0:.1f}" y="{3}" text-anchor="middle">{4}</text>)", at,
            top, bottom, bottom + 15, mark.text);
    }
    for (const tick& mark : marks_y) {
        const double at = y.place(mark.value);
        out += fmt::format(
            R"(<path class="g" d="M{0} {1:.1f}H{2}"/><text x="{3}" y="{4:.1f}" text-anchor="end">{5}</text>)", left, at,
            right, left - 5, at + 4, mark.text);
    }
}

void add_line(std::string& out, const plot_series& series, std::size_t index, const scale& x, const scale& y) {
    out += fmt::format(R"(<polyline class="l s{}" points=")", index % 6);
    for (const auto& [at, value] : series.points) {
        out += fmt::format("{:.1f},{:.1f} ", x.place(at), y.place(value));
    }
    out += "\"/>";
}

}  // namespace

std::string html_text(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '<':
                out += "&lt;";
                break;
            case '&':
                out += "&amp;";
                break;
            case '"':
                out += "&quot;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

std::string plot::html() const {
    std::string out = "<figure><figcaption>" + html_text(title) + "</figcaption>";
    double low_x = 1e300;
    double high_x = 0;
    double low_y = 1e300;
    double high_y = 0;
    for (const plot_series& line : series) {
        for (const auto& [at, value] : line.points) {
            low_x = std::min(low_x, at);
            high_x = std::max(high_x, at);
            low_y = std::min(low_y, value);
            high_y = std::max(high_y, value);
        }
    }
    if (low_x > high_x) {
        return out + "<p>Nothing of this kind was measured.</p></figure>\n";
    }
    scale across{x, 0, 1, left, right};
    scale up{y, 0, 1, bottom, top};
    const auto marks_x = lay_out(across, low_x, high_x);
    const auto marks_y = lay_out(up, low_y, high_y);
    out += fmt::format(R"(<svg viewBox="0 0 {} {}" role="img" aria-label="{}">)", width, height, html_text(title));
    add_grid(out, across, marks_x, up, marks_y);
    for (std::size_t i = 0; i < series.size(); ++i) {
        add_line(out, series[i], i, across, up);
    }
    out += fmt::format(R"(<text x="{}" y="{}" text-anchor="end">{}</text></svg><p class="key">)", right, height - 6,
                       html_text(unit_x));
    for (std::size_t i = 0; i < series.size(); ++i) {
        out += fmt::format(R"(<span class="s{}">{}</span> )", i % 6, html_text(series[i].name));
    }
    return out + "</p></figure>\n";
}

}  // namespace concurred::bench
