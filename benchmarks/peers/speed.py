"""Speed: a step of a free run through the public verb of each package."""

from functools import partial

import numpy as np

from narxkit.datasets import make_narendra

from ..harness import Case, stopwatch
from ..report import Suite
from .models import PACKAGES, Fastcan, Frols, Narx, Narxnn, Pyrenn, Skforecast, Torch, missing

LAGS = 1, 2  # of the input from 0, of the output from 1
LENGTHS = {10_000: "a long run", 24: "a run of 24 steps"}
TERMS = 10  # of a polynomial
SINGLE = 1e-4  # agreement of a run in single precision
SAME = {Pyrenn: 1e-9, Skforecast: 1e-9, Narxnn: SINGLE, Torch: SINGLE}  # the same weights
OTHER = (Fastcan, Frols)


class Network(Narx):
    """Without the linear term, which no peer has."""

    options = {"linear_term": False, "max_iter": 20}


def beside(model, steps):
    """Seconds per step of narxkit, and of a peer with its weights or its own polynomial."""
    u, y = (np.ravel(v) for v in make_narendra(1000, random_state=0))
    narx = Network(*LAGS).fit(u, y)
    if model in SAME:
        peer = model(*LAGS).take_over(narx)
    else:
        peer = model(*LAGS, n_terms=TERMS).fit(u, y)
    fresh, truth = (np.ravel(v) for v in make_narendra(LAGS[1] + steps, random_state=1))
    runs = [partial(m.free_run, fresh, truth[: LAGS[1]]) for m in (narx, peer)]
    if model in SAME:
        ours, theirs = (run() for run in runs)
        np.testing.assert_allclose(theirs, ours, rtol=0, atol=SAME[model] * truth.std())
    return [stopwatch(run, steps) for run in runs]


def cases(steps, where):
    """One for each peer."""
    kinds = dict.fromkeys(SAME, "the same weights") | dict.fromkeys(OTHER, f"its own {TERMS} terms")
    return [
        Case(
            f"step of {where}, 2 + 2 taps, 10 hidden",
            f"{package(model)}, {kind}",
            partial(beside, model, steps),
            figure="speed-up",
            unit="us",
            repeats=7,
            needs=missing(model.needs) or "narxkit",
        )
        for model, kind in kinds.items()
    ]


def package(model):
    """Its name without how it is trained."""
    return model.name.partition(",")[0]


SUITE = Suite(
    "Speed beside other packages, one thread",
    [case for length in LENGTHS.items() for case in cases(*length)],
    PACKAGES,
)
