"""The picture of suggested lags: a lane for each series, the evidence over the lags."""

from textwrap import fill

import numpy as np
import pandas as pd

from narxkit.plotting.base import COLOURS, GREY, INK, PALE, SMALL, Display, load_matplotlib

LANE = 2.3  # height of a lane, of which correlations and information take 1 each
NAME = {"width": 18, "max_lines": 4, "placeholder": "…"}  # of a lane
MARKS = {"ERR": COLOURS[0], "information": COLOURS[1]}


class LagPicture(Display):
    """Lanes of a suggestion, one for each series, drawn on some axes."""

    def __init__(self, suggestion):
        self.suggestion = suggestion
        self.lanes = list(suggestion.evidence.groupby(["kind", "column"], sort=False))

    def plot(self, ax=None):
        """Draw on these axes, or on a new figure, and return the axes."""
        if ax is None:
            size = (7.2, 1.2 + 1.25 * len(self.lanes))
            _, ax = load_matplotlib().subplots(figsize=size, layout="constrained")
        self._open(ax)
        for i, ((kind, _), rows) in enumerate(self.lanes):
            self._draw_lane(-LANE * i, rows, "pacf" if kind == "output" else "ccf")
        ax.set_yticks([-LANE * i for i in range(len(self.lanes))])
        ax.set_yticklabels([fill(column_name(column), **NAME) for (_, column), _ in self.lanes])
        ax.tick_params(axis="y", length=0)
        ax.spines["left"].set_visible(False)
        ax.set_ylim(-LANE * (len(self.lanes) - 1) - 1.1, 1.2)
        first = min(0, self.suggestion.evidence["lag"].min())
        ax.set_xlim(first - 0.7, self.suggestion.max_lag + 0.7)
        ticker = load_matplotlib("ticker")
        ax.xaxis.set_major_locator(ticker.MaxNLocator(9, integer=True, steps=[1, 2, 3, 6, 10]))
        leads = "; leads below 0" if first < 0 else ""
        self._name_axes(f"lag, rows{leads}", "evidence (square roots)")
        self._name_marks()
        return ax

    def _draw_lane(self, base, rows, kind):
        lags = rows["lag"].to_numpy()
        above = np.sqrt(rows[kind].abs().to_numpy())
        below = np.sqrt(_as_correlation(rows["information"].to_numpy()))
        ends = lags[0] - 0.5, lags[-1] + 0.5
        bands = (
            np.sqrt(self.suggestion.band),
            -np.sqrt(_as_correlation(rows["information_band"].iloc[0])),
        )
        for band in bands:
            self.ax_.fill_between(ends, base, base + band, color=PALE, lw=0, zorder=1)
        for mark, colour in {"": GREY, **MARKS}.items():
            these = (rows["chosen_by"] == mark).to_numpy()
            self.ax_.vlines(
                lags[these], base - below[these], base + above[these],
                color=colour, lw=2.6 if mark else 1.2, zorder=3 if mark else 2,
            )  # fmt: skip
        self._number(rows[rows["chosen"]], base, pd.Series(above, lags))
        self.ax_.hlines(base, *ends, color=INK, lw=0.6, zorder=4)
        for name, side in ((kind.upper(), 0.5), ("MI", -0.5)):
            at = (self.suggestion.max_lag + 0.7, base + side)
            self._write(name, at, (4, 0), GREY, ha="left", va="center")

    def _number(self, chosen, base, tops):
        """Write lags that follow each other as one number, such as 24-27."""
        for _, run in chosen.groupby(chosen["lag"] - np.arange(len(chosen))):
            lags, marks = run["lag"], run["chosen_by"].unique()
            to = "-" if lags.iloc[0] >= 0 else " to "
            text = to.join(map(str, dict.fromkeys(lags.iloc[[0, -1]])))
            at = (lags.mean(), base + tops[lags].max())
            colour = MARKS[marks[0]] if len(marks) == 1 else INK
            self._write(text, at, (0, 2), colour, ha="center", va="bottom")

    def _write(self, text, at, shift, colour, **kwargs):
        self.ax_.annotate(
            text, at, shift, textcoords="offset points", color=colour, fontsize=SMALL - 1,
            annotation_clip=False, **kwargs,
        )  # fmt: skip

    def _name_marks(self):
        patches = load_matplotlib("lines")
        used = set(self.suggestion.evidence["chosen_by"]) & set(MARKS)
        handles = [
            patches.Line2D([], [], color=colour, lw=2.6, label=f"chosen by {mark}")
            for mark, colour in MARKS.items()
            if mark in used
        ]
        if handles:
            self.ax_.legend(
                handles=handles, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2,
                frameon=False, fontsize=SMALL, labelcolor="linecolor", handlelength=1.0,
                borderaxespad=0.2,
            )  # fmt: skip


def column_name(column):
    """Name a column: by its name, or its place in X."""
    return column if isinstance(column, str) else f"X[{column}]"


def _as_correlation(information):
    """Return the correlation that two normal series of this mutual information have."""
    return np.sqrt(-np.expm1(-2 * np.maximum(information, 0.0)))
