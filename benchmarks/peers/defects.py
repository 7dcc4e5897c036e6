"""Behaviour: what a peer answers where a forecast goes wrong easily, and what narxkit answers.

Each case gives both the same data in the same run and says what came out.
"""

import warnings

import numpy as np
from rich.table import Table
from sklearn.base import clone
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import TimeSeriesSplit, cross_val_score

from narxkit import NARX
from narxkit.datasets import make_narendra

from .models import PACKAGES, Narxnn, missing

COLUMNS = ("peer", "question", "answer", "narxkit")
LAGS = {"input_lags": 1, "output_lags": 2}
PENALTIES = {"alpha": 1e-4, "linear_alpha": 0.0}  # of narxkit, fixed as those of the peers are
SHIFT = 10.0


def series(n=400):
    X, y = make_narendra(n, amplitude=1.0, random_state=0)
    return X, y - y.mean()


def shifted():
    """Median R2 over the folds of a TimeSeriesSplit, for y and for y + 10."""
    from fastcan.narx import make_narx

    X, y = series()
    peer = make_narx(X, y, 4, max_delay=2, refine_verbose=0, verbose=0)  # linear, the tamest

    def scores(model):
        r2 = [cross_val_score(model, X, y + shift, cv=TimeSeriesSplit()) for shift in (0, SHIFT)]
        return "R2 {:.2f}; {:.2f}".format(*map(np.median, r2))

    return scores(peer), scores(NARX(**LAGS, **PENALTIES, random_state=0))


def diverged():
    """A free run of an unstable system until its numbers overflow."""
    from fastcan.narx import NARX as Peer

    u = np.random.default_rng(0).normal(size=(200, 1))
    y = np.zeros(200)
    for t in range(1, 200):
        y[t] = 1.02 * y[t - 1] + u[t - 1, 0]
    X = np.ones((100_000, 1))
    peer = Peer(feat_ids=[[0], [1]], delay_ids=[[1], [1]]).fit(u, y)
    ours = NARX([1], 1, hidden_layer_sizes=(), **PENALTIES).fit(u, y)
    return [ending(run) for run in (peer.predict(X, y[:1]), ours.simulate(X, y[:1]))]


def ending(run):
    """The last value, and how often it stands at the end."""
    last = run[-1]
    same = np.isnan(run) if np.isnan(last) else run == last
    return f"ends in {np.argmin(same[::-1]) if not same.all() else len(run):,} values of {last}"


def echoed():
    """Rows of a prediction that are the measured values given to start it."""
    from sysidentpy.model_structure_selection import FROLS

    X, y = series()
    peer = FROLS(n_terms=5, order_selection=False, ylag=4, xlag=4)
    peer.fit(X=X, y=y[:, None])
    ours = NARX(4, 4, **PENALTIES, random_state=0).fit(X, y)
    runs = peer.predict(X=X, y=y[:4, None])[:, 0], ours.simulate(X, y[:4])
    return [f"{sum(run[:4] == y[:4])} of 4 echoed, {sum(np.isnan(run[:4]))} NaN" for run in runs]


def without_y():
    """A forecast from inputs alone, after fit."""
    from sysidentpy.model_structure_selection import FROLS

    X, y = series()
    peer = FROLS(n_terms=5, order_selection=False, ylag=2, xlag=2)
    peer.fit(X=X[:300], y=y[:300, None])
    ours = NARX(**LAGS, **PENALTIES, random_state=0).fit(X[:300], y[:300])
    return [outcome(model.predict, X=X[300:]) for model in (peer, ours)]


def cloned_skforecast():
    """A copy by scikit-learn, which grid searches begin with."""
    from skforecast.recursive import ForecasterRecursive

    return copies(ForecasterRecursive(LinearRegression(), lags=2), NARX())


def cloned_narxnn():
    """A copy of a network likewise."""
    return copies(Narxnn(**LAGS).make(), NARX())


def copies(*models):
    return [outcome(clone, model) for model in models]


def outcome(verb, *args, **kwargs):
    """The type of what a verb answers, or of its error."""
    try:
        answer = verb(*args, **kwargs)
    except Exception as error:  # whatever a peer raises is its answer
        return type(error).__name__
    return f"{len(answer)} values" if isinstance(answer, np.ndarray) else type(answer).__name__


CASES = {  # what they need, the peer first, and the question
    shifted: (("fastcan",), "cross-validation of y; of y + 10"),
    diverged: (("fastcan",), "free run of an unstable system"),
    echoed: (("sysidentpy",), "first rows of a free run"),
    without_y: (("sysidentpy",), "predict without y after fit"),
    cloned_narxnn: (Narxnn.needs, "clone of NARXNN"),
    cloned_skforecast: (("skforecast",), "clone of ForecasterRecursive"),
}


def ask(case):
    """The answers of a case, without the warnings on the way."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return case()


class Defects:
    """The cases above, with the verbs of `report.Suite`."""

    title = "The same question to peers and to narxkit"
    packages = PACKAGES

    def rows(self, quick, announce):
        """One dict per case; one whose packages are missing has no answers."""
        for case, (packages, question) in CASES.items():
            announce(question)
            absent = missing(packages)
            answers = (f"needs {absent}", "") if absent else ask(case)
            yield dict(zip(COLUMNS, (packages[0], question, *answers)))

    def table(self, rows):
        """One line per case."""
        table = Table(*COLUMNS, title=self.title)
        for row in rows:
            table.add_row(*row.values())
        return table


SUITE = Defects()
