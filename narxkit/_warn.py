"""Warnings that name the user's own line."""

import sys
import warnings
from pathlib import Path

PACKAGE = str(Path(__file__).parent)


def warn(message, category=UserWarning):
    """Warn at the first line outside the package, however deep inside it the reason lies."""
    frame, level = sys._getframe(), 1
    # a fixed stacklevel would name a line of ours as soon as a helper comes between
    while frame is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def warn_of_interruption(model):
    """Warn whoever scores a model of which Ctrl-C cut the fit short."""
    # of one around another it is that of the inner
    while hasattr(model, "forecaster_"):
        model = model.forecaster_
    if getattr(getattr(model, "stop_", None), "name", "") == "INTERRUPTED":
        warn(
            f"the fit of this {type(model).__name__} was interrupted after {model.n_iter_} of at "
            f"most {model.max_iter} iterations, and errors and scores are those of what it had "
            "learnt by then: fit it again before comparing it with others.",
            RuntimeWarning,
        )
