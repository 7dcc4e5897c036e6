r"""How far back a network remembers: the size of its derivatives by lag.

.. math::

    m_k(c) = \sqrt{ \frac{1}{n} \sum_t \Big( \frac{\partial \hat y_t}{\partial c_{t-k}}
    \frac{\sigma_c}{\sigma_y} \Big)^2 }

for every column c, input or output. What a recurrent network is told long ago reaches its output
through one Jacobian of the state for each row between: where these shrink, the derivative vanishes
with the lag and nothing so old can be learned by it; where they grow, it explodes, and training
with it (Bengio, Simard and Frasconi 1994, IEEE Transactions on Neural Networks 5, 157-166).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from narxkit._words import counted
from narxkit.diagnostics._draw import GREY, PALE, label, line_styles, open_axes
from narxkit.diagnostics._result import Result, Row
from narxkit.rows.labels import common_index, with_index

NEARLY_ALL = 0.9  # of the summed squares
FADED = 0.01  # of the largest derivative
NOTHING = 1e-300
ENOUGH = 3  # lags, for a line
MOST_NAMED, FEW_NAMED = 12, 6  # columns in a picture, and in one column of its legend


@dataclass(frozen=True, repr=False)
class MemoryProfile(Result):
    """Sizes of the derivatives of a prediction, by lag and column.

    Parameters
    ----------
    norms : DataFrame
        Root mean square over rows and outputs of the standardised derivatives: a row for each lag,
        a column for each input and output.
    span : int
        The lags up to this one hold nine tenths of the summed squares.
    reach : int
        The largest lag whose derivative is more than a hundredth of the largest.
    growth : float
        The factor per row by which derivatives change with the lag, fitted to their logarithms from
        the largest on that two more follow; NaN where there are fewer than three.
    n : int
        Rows that the means are over.

    See Also
    --------
    memory_profile : Where it comes from.

    Examples
    --------
    >>> from narxkit import GRURegressor
    >>> from narxkit.datasets import make_narendra
    >>> from narxkit.diagnostics import memory_profile
    >>> X, y = make_narendra(300, random_state=0)
    >>> model = GRURegressor(window=8, alpha=1e-3, max_iter=20, random_state=0).fit(X, y)
    >>> memory = memory_profile(model, X, y)
    >>> list(memory.norms.index) == list(range(10)), memory.growth < 1
    (True, True)
    """

    norms: pd.DataFrame
    span: int
    reach: int
    growth: float
    n: int

    @property
    def sentence(self):
        """The result in one sentence."""
        last = self.norms.index[-1]
        if not self.norms.to_numpy().any():
            return "Nothing that was measured moves a prediction."
        if self.growth > 1.0:
            return (
                f"Derivatives grow by the factor {self.growth:.3g} with every row back, up to lag "
                f"{last}: they explode."
            )
        fades = f", and beyond lag {self.reach} none is a hundredth of the largest"
        return (
            f"Nine tenths of what moves a prediction lie within {counted(self.span, 'row')}"
            f"{fades if self.reach < last else f'; lag {last}, the last one read, still counts'}."
        )

    @property
    def figures(self):
        """The lags that count, and how derivatives change with the lag."""
        largest = self.norms.max()
        return [
            Row("span", counted(self.span, "row"), "hold nine tenths of the summed squares"),
            Row("reach", f"lag {self.reach}", "the last one above a hundredth of the largest"),
            Row("growth per row", f"{self.growth:.3g}", "of the derivatives, with the lag"),
            *(
                Row(
                    f"of {column}",
                    f"{largest[column]:.3g}",
                    f"at lag {norms.idxmax()}, its largest",
                )
                for column, norms in self.norms.items()
            ),
            Row("rows", f"{self.n:,}", "that the means are over"),
        ]

    def plot(self, ax=None):
        """Draw the sizes over the lag, on a logarithmic scale.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; by default on a new figure.

        Returns
        -------
        matplotlib Axes
            The axes drawn on.
        """
        ax = open_axes(ax)
        self._draw_lines(ax)
        faded = FADED * self.norms.to_numpy().max()
        ax.axhline(faded, color=GREY, lw=0.8, ls=":")
        label(ax, (self.norms.index[-1], faded), "1 % of the largest", GREY, ha="right")
        if faded > 0:
            ax.set_yscale("log")
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.set_xlabel("lag, rows")
        ax.set_ylabel("size of the derivative, standardised")
        return ax

    def _draw_lines(self, ax):
        """Draw a line for each column, and name those with the largest derivatives."""
        # a column that no tap reads has none
        read = self.norms.loc[:, (self.norms > NOTHING).any()]
        largest = set(np.argsort(-read.max().to_numpy(), kind="stable")[:MOST_NAMED])
        styles = iter(line_styles(MOST_NAMED))
        for i, (column, norms) in enumerate(read.items()):
            there, is_named = norms[norms > NOTHING], i in largest
            style = next(styles) if is_named else {"color": PALE, "zorder": 1}
            ax.plot(
                there.index, there, marker="o", markersize=3, **style,
                label=str(column) if is_named else None,
            )  # fmt: skip
        n_others = read.shape[1] - len(largest)
        if n_others:
            ax.plot([], [], color=PALE, marker="o", markersize=3, label=f"{n_others} smaller")
        if len(read.columns):
            ax.legend(frameon=False, ncols=2 if len(largest) > FEW_NAMED else 1)


def memory_profile(model, X, y=None, segments=None):
    r"""Measure how far back the predictions of a network reach.

    Parameters
    ----------
    model : forecaster
        A fitted network or ARX: anything with ``input_gradient(X, y, segments)``. Of a Pipeline its
        last step, with X as the others transform it; of a search the best estimator.
    X : array-like of shape (n, n_features) or None
        Inputs.
    y : array-like of shape (n,) or (n, n_outputs)
        Measured outputs.
    segments : array-like of shape (n,), optional
        One label per row; no lag crosses a change of label.

    Returns
    -------
    MemoryProfile
        Frozen.

    Raises
    ------
    TypeError
        Where the model has no such derivatives.
    ValueError
        Where no row can be predicted.

    References
    ----------
    Bengio, Simard and Frasconi 1994, "Learning long-term dependencies with gradient descent is
    difficult", IEEE Transactions on Neural Networks 5, 157-166.

    Examples
    --------
    >>> from narxkit import NARX
    >>> from narxkit.datasets import make_narendra
    >>> from narxkit.diagnostics import memory_profile
    >>> X, y = make_narendra(300, random_state=0)
    >>> model = NARX(input_lags=[1], output_lags=1, random_state=0).fit(X, y)
    >>> memory_profile(model, X, y).reach
    1
    """
    model, X, y = _unwrapped(model, X, y)
    if isinstance(model, type) or not hasattr(model, "input_gradient"):
        name = getattr(model, "__name__", type(model).__name__)
        raise TypeError(
            f"{name} has no input_gradient, which the memory is measured by: give a fitted network "
            "such as NARX or LSTMRegressor, an ARX, or a Pipeline or a search of one."
        )
    gradient = model.input_gradient(X, y, segments)
    is_there = np.isfinite(gradient.standardised).all(axis=(1, 2, 3))
    if not is_there.any():
        raise ValueError(
            f"none of the {len(is_there)} rows can be predicted, for which the lags need "
            f"{gradient.lags[-1]} rows at most: give a longer series."
        )
    squares = np.mean(gradient.standardised[is_there] ** 2, axis=(0, 1))
    norms = pd.DataFrame(
        np.sqrt(squares).T, index=pd.Index(gradient.lags, name="lag"), columns=gradient.columns
    )
    by_lag, lags = norms.to_numpy().max(axis=1), norms.index
    share = np.cumsum(squares.sum(axis=0)) / (squares.sum() or np.inf)
    counts = by_lag >= FADED * by_lag.max() if by_lag.any() else lags == lags[0]
    return MemoryProfile(
        norms=norms,
        span=int(lags[np.argmax(share >= NEARLY_ALL)]),
        reach=int(lags[counts][-1]),
        growth=_growth(by_lag),
        n=int(is_there.sum()),
    )


def _unwrapped(model, X, y):
    """Return the last step of a Pipeline, and what it is given."""
    if hasattr(model, "best_estimator_"):
        return _unwrapped(model.best_estimator_, X, y)
    if not isinstance(model, Pipeline):
        return model, X, y
    check_is_fitted(model)
    if X is not None and len(model.steps) > 1:
        # transformers may return X as an array: y goes on to carry the labels
        y = with_index(y, common_index(X=X, y=y)[0])
        X = model[:-1].transform(X)
    return _unwrapped(model[-1], X, y)


def _growth(sizes):
    """Return the factor per lag of sizes: that of the line of logarithms.

    It begins with the largest size that two others follow: where sizes fade the largest of all, and
    where they explode, so that the last one is that, the third from the end.
    """
    lags = np.flatnonzero(sizes > NOTHING)
    if len(lags) < ENOUGH:
        return np.nan
    lags = lags[np.argmax(sizes[lags[: 1 - ENOUGH]]) :]
    return float(np.exp(np.polyfit(lags, np.log(sizes[lags]), 1)[0]))
