"""Pictures of Hurst exponents: over scales, by method, over time."""

import numpy as np

from narxkit.plotting.base import COLOURS, GREY, PALE, SMALL, Display, load_matplotlib
from narxkit.plotting.times import as_times, format_time_axis

QUANTITIES = {  # of the fluctuations of each method, and how their scales are measured
    "ml": ("root of the periodogram, mean over bins", "period, rows"),
    "rs": ("rescaled range, corrected", "box, rows"),
    "dfa": ("detrended fluctuation", "box, rows"),
    "gph": ("root of the periodogram", "period, rows"),
    "local_whittle": ("root of the periodogram", "period, rows"),
    "wavelet": ("root of the wavelet energy", "octave, rows; short ones weigh most in the fit"),
}


class _Axes(Display):
    """Axes in the quiet style of all displays."""

    def __init__(self, ax, x, y):
        self._open(ax)
        self._name_axes(x, y)


def plot_scales(result, ax):
    """Draw dots for what was seen, a line for what was fitted, on logarithmic axes."""
    quantity, scale = QUANTITIES[result.method]
    ax = _Axes(ax, scale, quantity).ax_
    ax.plot(result.scales, result.fluctuations, "o", ms=4, color=GREY, label="seen")
    ax.plot(result.scales, result.fitted, color=COLOURS[0], lw=2.0, label="fitted")
    ax.set_xscale("log")
    ax.set_yscale("log")
    plain_ticks(ax)
    low, high = result.confidence_interval
    text = f"H = {result.estimate:.2f} ({low:.2f} to {high:.2f})"
    text += ", cut where the method ends" if result.is_cut else ""
    where = {"x": 0.03, "y": 0.95} | {"transform": ax.transAxes, "va": "top"}
    ax.text(s=text, color=COLOURS[0], fontsize=SMALL, **where)
    return ax


def plot_table(table, ax):
    """Draw a dot and an interval for each method, from the top down."""
    ax = _Axes(ax, "Hurst exponent", "").ax_
    frame = table.to_frame().iloc[::-1]
    rows = np.arange(len(frame))
    ax.axvline(0.5, color=GREY, lw=0.8, ls=(0, (2, 2)), zorder=1)
    ax.annotate(
        "no memory", (0.5, 1.0), (0, 3), ("data", "axes fraction"), "offset points", ha="center",
        color=GREY, fontsize=SMALL,
    )  # fmt: skip
    ax.hlines(rows, frame["low"], frame["high"], color=COLOURS[0], lw=2.0)
    ax.plot(frame["estimate"], rows, "o", ms=6, color=COLOURS[0])
    for row, name in zip(rows, frame.index):
        if (result := table.results[name]).is_cut:
            side = "above" if result.estimate > 0.5 else "below"
            ax.annotate(
                f"or {side}", (result.estimate, row), (0, 6), textcoords="offset points",
                ha="center", color=COLOURS[0], fontsize=SMALL,
            )  # fmt: skip
    ax.set_yticks(rows, frame.index)
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", length=0)
    ax.margins(y=0.12)
    return ax


def plot_rolling(rolling, ax):
    """Draw the exponent of each window at its end, in its band."""
    frame = rolling.windows
    index = as_times(frame.index)
    quantity = f"Hurst exponent of {rolling.window:,} rows"
    ax = _Axes(ax, str(index.name or "end of the window"), quantity).ax_
    is_single = len(frame) == 1  # a band needs two ends
    mark = ax.vlines if is_single else ax.fill_between
    band = mark(index, frame["low"], frame["high"], color=COLOURS[0], alpha=0.2, lw=8 * is_single)
    band.set_label(f"{rolling.confidence * 100:g} % interval")
    ax.plot(index, frame["estimate"], color=COLOURS[0], lw=1.8, label="estimate",
            marker="o" if is_single else None)  # fmt: skip
    ends = dict.fromkeys(rolling.cut_at, "the method ends here, and cuts the band")
    for height, words in {0.5: "no memory", **ends}.items():
        ax.axhline(height, color=GREY, lw=0.8, ls=(0, (2, 2)), zorder=1)
        ax.annotate(
            words, (1.0, height), (-2, 3), ("axes fraction", "data"), "offset points", ha="right",
            color=GREY, fontsize=SMALL,
        )  # fmt: skip
    ax.margins(x=0.01)
    format_time_axis(ax, index)
    return ax


def plain_ticks(ax):
    """Put ticks such as 10, 20, 50, more or fewer by the range, on both logarithmic axes."""
    ticker = load_matplotlib("ticker")
    for axis in (ax.xaxis, ax.yaxis):
        low, high = axis.get_view_interval()
        if high < 10 * low:
            subs = (1, 1.5, 2, 3, 5, 7)
        elif high < 100 * low:
            subs = (1, 2, 5)
        else:
            subs = (1,)
        axis.set_major_locator(ticker.LogLocator(subs=subs))
        axis.set_major_formatter(ticker.StrMethodFormatter("{x:g}"))
        axis.set_minor_locator(ticker.NullLocator())
    ax.grid(axis="y", color=PALE, lw=0.6)
    ax.set_axisbelow(True)
