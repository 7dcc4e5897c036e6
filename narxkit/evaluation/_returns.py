"""One step ahead on a market: can a forecast of the next return beat that of no change?"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from narxkit.forecasters.baselines import Persistence
from narxkit.networks import largest_lag
from narxkit.plotting import ForecastDisplay
from narxkit.plotting.base import COLOURS, GREY, PALE, SMALL
from narxkit.significance import diebold_mariano, hit_rate

from ._base import Evaluation, Task
from ._horizon import two_panels, with_title

WALK = "random walk"
MEASURES = (
    "Ratio: RMSE / that of the random walk, which forecasts no change. DM: Diebold-Mariano "
    "statistic of the squared errors against it, above 0 where the random walk is better, with its "
    "two-sided p. Hits: share of signs forecast, in %; low, high: the 95 % band of a guess that "
    "hits {chance:.1f} %, the share of the commoner sign."
)


@dataclass(frozen=True, eq=False, kw_only=True)
class ReturnsTask(Task):
    """A series of returns to forecast one step ahead.

    See Also
    --------
    Task : The parameters.

    Examples
    --------
    >>> from narxkit.evaluation import TASKS
    >>> list(TASKS["fx"].baselines())
    ['last return', 'ridge ARX']
    """

    def baselines(self):
        """Make the models to compare with, not fitted; the random walk needs none."""
        return {"last return": Persistence(), "ridge ARX": self.ridge()}

    def with_options(self, target=None, horizon=None, lags=None):
        """Make the task with other options; it then follows no named protocol."""
        if horizon not in (None, 1):
            raise ValueError(
                f"{self.name} is forecast one day ahead: returns of the days after are no easier."
            )
        if target in (None, self.target) and lags is None:
            return self
        target = self.target if target is None else target
        columns = self.load().columns
        if target not in columns:
            raise ValueError(f"{self.name} has no column {target!r}: it has {', '.join(columns)}.")
        lags = self.output_lags if lags is None else lags
        title = self.title if target == self.target else f"{self.name} {target}"
        inputs = {name: own for name, own in self.input_lags.items() if name != target}
        return replace(
            self, title=title, target=target, input_lags=inputs, output_lags=lags, protocol="",
            history=int(max(self.history, largest_lag(lags, "lags") + 1)),
        )  # fmt: skip

    def evaluation(self, *answers):
        """Gather models and backtests as an evaluation."""
        return ReturnsEvaluation(self, *answers)


@dataclass(frozen=True, eq=False)
class ReturnsEvaluation(Evaluation):
    """Backtests and models of a `ReturnsTask`.

    See Also
    --------
    run : Makes one.
    Evaluation : The parameters.

    Examples
    --------
    >>> from narxkit.evaluation import TASKS, run
    >>> evaluation = run(TASKS["stock"], learned=("arx",))
    >>> list(evaluation.table().index)
    ['random walk', 'last return', 'ridge ARX']
    """

    def table(self, interval=False):
        """Summarise errors and signs beside those of the random walk.

        Parameters
        ----------
        interval : bool, default=False
            Changes nothing: the band of the hit rate is always there.

        Returns
        -------
        DataFrame
            A row for each model, the random walk first; columns ``RMSE``, ``MAE``,
            ``ratio to random walk``, ``DM``, ``p``, ``hits %``, ``band 2.5 %``, ``band 97.5 %``
            and ``fit s``.
        """
        rows = {WALK: self._measures(np.zeros(len(self._returns)))}
        for name, run in self.backtests.items():
            y_hat = run["y_hat"].to_numpy()
            rows[name] = self._measures(y_hat) | {"fit s": self.fit_seconds[name]}
        return pd.DataFrame.from_dict(rows, orient="index")

    @property
    def _returns(self):
        """The returns to forecast."""
        return self.backtests[self.chosen]["y"].to_numpy()

    @property
    def chance(self):
        """Share of the commoner sign: naming it always hits as often."""
        signs = np.sign(self._returns)
        # a market that rises on most days is hit by always naming "up"
        return float(max(np.mean(signs[signs != 0] == sign) for sign in (-1, 1)))

    def _measures(self, y_hat):
        y = self._returns
        e, e_walk = y_hat - y, -y
        rmse, rmse_walk = (np.sqrt(np.nanmean(errors**2)) for errors in (e, e_walk))
        measures = {
            "RMSE": rmse,
            "MAE": np.nanmean(np.abs(e)),
            "ratio to random walk": rmse / rmse_walk,
        }
        # the random walk itself: no test against itself, and no signs
        if not y_hat.any():
            return measures
        test, hits = diebold_mariano(e, e_walk), hit_rate(y, y_hat, self.chance)
        return measures | {
            "DM": test.statistic,
            "p": test.pvalue,
            "hits %": 100 * hits.estimate,
            "band 2.5 %": 100 * hits.band[0],
            "band 97.5 %": 100 * hits.band[1],
        }

    def notes(self, interval=False):
        """Explain the table and its protocol, and say what came out."""
        measures = MEASURES.format(chance=100 * self.chance)
        of_models = *self.of_networks, self.of_past_inputs, self.verdict
        return [note for note in (measures, self.protocol, self.task.why, *of_models) if note]

    @property
    def verdict(self):
        """Whether anything beats the random walk, in one sentence."""
        table = self.table().drop(index=WALK)
        # two-sided, so that one in forty is better by luck
        is_better = (table["DM"] < 0) & (table["p"] < 0.05)
        is_lucky = table["hits %"] > table["band 97.5 %"]
        if is_better.any():
            return (
                f"Beyond chance (p < 5 %) better than the random walk: {_names(is_better)}; "
                f"of {len(table)} models, one in forty would look so by chance."
            )
        verdict = "Nothing here beats the random walk beyond its band"
        if is_lucky.any():
            return (
                f"{verdict} in size; in signs there are more hits than chance explains for "
                f"{_names(is_lucky)}."
            )
        return f"{verdict}, in size or in sign."

    def plot(self, figure=None):
        """Draw the last quarter of a year one step ahead, and the share of hits beside it."""
        left, right = two_panels(figure)
        frame = self.to_frame().set_index("time").iloc[-60:]  # trading days
        ForecastDisplay.from_predictions(
            frame[self.task.target],
            {f"{self.chosen}, one step ahead": frame[self.chosen]},
            target=self.task.target,
            unit=self.task.unit,
            ax=left,
        )
        self._plot_hits(right)
        return with_title(left.figure, f"{self.task.heading}: {self.chosen} at the end of the test")

    def _plot_hits(self, ax):
        """Draw each model's hits in its band of chance."""
        table = self.table().drop(index=WALK)[::-1]
        low, high = table["band 2.5 %"], table["band 97.5 %"]
        place = np.arange(len(table))
        ax.barh(place, high - low, left=low, color=PALE, height=0.4)
        ax.plot(table["hits %"], place, "o", color=COLOURS[0])
        ax.axvline(100 * self.chance, color=GREY, lw=0.8)
        ax.set_yticks(place, table.index)
        ax.spines[["top", "right", "left"]].set_visible(False)
        ax.tick_params(axis="y", length=0, labelsize=SMALL)
        ax.tick_params(axis="x", labelsize=SMALL)
        ax.set_title("signs forecast, %, and the band of chance", loc="left", fontsize=SMALL, pad=8)


def _names(which):
    return " and ".join(which.index[which])
