"""The picture of a report: series, autocorrelation and spectrum, one above the other."""

import numpy as np

from narxkit.diagnostics._draw import COLOURS, GREY, PALE, label, open_axes
from narxkit.plotting.base import load_matplotlib
from narxkit.plotting.times import as_times, format_time_axis, time_name
from narxkit.rows.labels import is_elapsed

N_POINTS = 400  # of a smoothed spectrum
N_LAGS = 40  # at least, where there are as many
VEIL = {"fc": "white", "ec": "none", "pad": 0.5, "alpha": 0.8}  # behind words over a line


def draw_report(report, axes=None):
    """Draw on three axes, by default of a new figure, and return them."""
    if axes is None:
        size = {"figsize": (7.2, 7.0), "layout": "constrained"}
        _, axes = load_matplotlib().subplots(3, 1, **size)
    series, correlation, spectrum = map(open_axes, axes)
    _draw_series(report, series)
    _draw_correlation(report, correlation)
    _draw_spectrum(report, spectrum)
    return axes


def _draw_series(report, ax):
    y = report.series
    times = as_times(y.index)
    ax.plot(times, y.to_numpy(), color=COLOURS[0], lw=max(0.3, min(1.2, 600 / len(y))))
    ax.set_ylabel(str(y.name) if y.name is not None else "series")
    ax.set_title(report.verdict, loc="left", fontweight="bold")
    ax.margins(x=0.01)
    format_time_axis(ax, times)
    if is_elapsed(y.index):
        ax.set_xlabel(time_name(y.index, otherwise=""))


def _draw_correlation(report, ax):
    from .tests import autocorrelations

    n = len(report.analysed)
    period = report.season.period if report.season else 0
    longest = min(n // 4, max(N_LAGS, 2 * period, min(2 * report.reach, 200)))
    values = autocorrelations(report.analysed, longest)
    lags, half = np.arange(1, longest + 1), 1.96 / np.sqrt(n)
    ax.fill_between((0.5, longest + 0.5), -half, half, color=PALE, lw=0)
    ax.vlines(lags, 0, values[1:], color=COLOURS[0], lw=min(2.6, 200 / longest))
    ax.axhline(0, color=GREY, lw=0.6)
    ax.set_xlabel("lag, rows; grey: 95 % band of white noise")
    ax.set_ylabel("autocorrelation")
    ax.set_title(_format_kind(report), loc="right", color=GREY, fontsize=9)


def _draw_spectrum(report, ax):
    n, values = len(report.analysed), report.analysed - report.analysed.mean()
    power = np.abs(np.fft.rfft(values)[1:]) ** 2 / (n * values.var())
    frequencies = np.fft.rfftfreq(n)[1:]
    edges = np.unique(np.geomspace(1, len(power) + 1, N_POINTS).astype(int)) - 1
    counts = np.diff(np.append(edges[:-1], len(power)))
    middle = np.add.reduceat(frequencies, edges[:-1]) / counts
    ax.loglog(middle, np.add.reduceat(power, edges[:-1]) / counts, color=COLOURS[0], lw=1)
    ax.axhline(1, color=GREY, lw=0.8, ls=":")
    label(ax, (middle[0], 1), "white noise", GREY, ha="left", bbox=VEIL)
    if report.season:
        place = 1 / report.season.period
        ax.axvline(place, color=COLOURS[1], lw=0.8)
        top = ax.get_ylim()[1]
        label(ax, (place, top), f"season, {report.season.period} rows", COLOURS[1], (3, -10))
    ax.set_xlabel("frequency, per row")
    ax.set_ylabel("power")


def _format_kind(report):
    parts = {"the trend": report.trend, "the season": report.season}
    removed = " and ".join(part for part, value in parts.items() if value)
    return f"{report.kind}, without {removed}" if removed else report.kind
