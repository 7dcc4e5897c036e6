"""Subject of a diagnosis: a column without gaps, and the columns that may explain it."""

from dataclasses import dataclass, field

import pandas as pd

from narxkit.diagnostics.values import N_ROWS, check_count, read_values
from narxkit.evaluation import (
    HELD_OUT,
    LONGEST_BRIDGED,
    bridge,
    find_seams,
    find_target,
    longest_stretch,
    note_blanks,
)
from narxkit.files import label_writer
from narxkit.networks import make_taps

HORIZON = 24  # rows, where none is asked for and there are enough


@dataclass(frozen=True, eq=False)
class Subject:
    """A column to diagnose.

    Parameters
    ----------
    title : str
        Title of the series.
    unit : str
        Unit of the column, or "".
    whole : Series
        The column as it came.
    y : Series
        The part that is analysed: all rows there, and each one step after the one before.
    X : DataFrame or None
        Inputs of the same rows.
    known_ahead : list of str
        Inputs that are known ahead.
    horizon : int
        Rows to be forecast.
    notes : list of str
        Sentences on what is missing, what is analysed and what was filled in.
    is_from_frame : bool, default=False
        Whether it comes from a table of the user, who can name inputs known ahead.

    See Also
    --------
    builtin_subject : Makes one of a built-in series.
    subject_from_frame : Makes one of a table.

    Examples
    --------
    >>> from narxkit.report import builtin_subject
    >>> from narxkit.evaluation import find_task
    >>> subject = builtin_subject(find_task("solar"))
    >>> print(subject.notes[0])
    Analysed are the 8,760 rows from 2023-01-01 00:00 to 2023-12-31 23:00, the longest stretch
    without a gap; the series has 17,520.
    """

    title: str
    unit: str
    whole: pd.Series
    y: pd.Series
    X: pd.DataFrame | None
    known_ahead: list
    horizon: int
    notes: list = field(default_factory=list)
    is_from_frame: bool = False

    @property
    def unknown_ahead(self):
        """Inputs that are not known ahead."""
        return [] if self.X is None else [c for c in self.X if c not in self.known_ahead]

    @property
    def heading(self):
        """Title, column and unit in a line."""
        parts = dict.fromkeys([self.title, str(self.y.name), self.unit])
        return ", ".join(part for part in parts if part)


def builtin_subject(task):
    """Make a subject of a built-in series.

    Parameters
    ----------
    task : Task
        Its task: target, inputs, and which of these are known ahead.

    Returns
    -------
    Subject
        The longest stretch of its target.

    Raises
    ------
    ValueError
        When the target is not there or too short, or the horizon too far.

    Examples
    --------
    >>> from narxkit.report import builtin_subject
    >>> from narxkit.evaluation import find_task
    >>> builtin_subject(find_task("stock")).known_ahead
    []
    """
    inputs = list(task.input_lags)
    lags = make_taps(dict(task.input_lags), [], inputs).input_lags if inputs else []
    # an input that the task reads at the time forecast is known there
    known_ahead = [name for name, of_input in zip(inputs, lags) if 0 in of_input]
    names = {"title": task.title, "unit": task.unit, "name": task.name}
    return _make(task.read(), task.target, inputs, known_ahead, task.steps, **names)


def subject_from_frame(
    data, target=None, inputs=(), known_future=(), horizon=None, name="the data"
):
    """Make a subject of a table of the user.

    Parameters
    ----------
    data : DataFrame
        Numbers, with a DatetimeIndex or row numbers.
    target : str, default=None
        Column to diagnose; by default the only one.
    inputs : sequence of str, default=()
        Columns that may explain it.
    known_future : sequence of str, default=()
        Inputs that are known ahead.
    horizon : int, default=None
        Rows to be forecast: inputs that are not known ahead are asked from that lag on. By default
        24, or a fifth of the rows analysed where that is less.
    name : str, default="the data"
        Name of the table in errors.

    Returns
    -------
    Subject
        The longest stretch of the target.

    Raises
    ------
    ValueError
        When columns are not there, constant or too large in size, the target is too short, or the
        horizon too far.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from narxkit.report import subject_from_frame
    >>> load = np.random.default_rng(0).normal(size=400)
    >>> load[10] = np.nan
    >>> subject_from_frame(pd.DataFrame({"load": load})).notes
    ["'load' is blank in 1 of the 400 rows from its first value to its last, row 10.", 'Of the rows
    analysed 1 is bridged by a straight line.']
    """
    inputs = list(dict.fromkeys([*inputs, *known_future]))
    target = find_target(data, target, inputs, name)
    names = {"title": name, "name": name, "is_from_frame": True}
    return _make(data, target, inputs, list(known_future), horizon, **names)


def _make(data, target, inputs, known_ahead, horizon, *, title, name, unit="", is_from_frame=False):
    # blank rows at either end are no gap: rows to forecast stand there
    whole = data[target].loc[data[target].first_valid_index() : data[target].last_valid_index()]
    if whole.notna().sum() == 0:
        raise ValueError(f"the column {target!r} of {name} holds no number.")
    seams = find_seams(whole.index)
    filled = bridge(whole, seams)
    # tests of memory and season need rows without a gap; two stretches cannot be joined
    analysed = slice(*longest_stretch(filled.notna().to_numpy(), seams))
    y = filled.iloc[analysed]
    X = data.loc[whole.index[0] : whole.index[-1], inputs].iloc[analysed] if inputs else None
    _check_target(whole, y)
    _check_inputs(X)
    horizon = min(HORIZON, len(y) // HELD_OUT) if horizon is None else horizon
    _check_horizon(horizon, len(y))
    return Subject(
        title=title,
        unit=unit,
        whole=whole,
        y=y,
        X=X,
        known_ahead=known_ahead,
        horizon=horizon,
        notes=_notes(whole, y, whole.iloc[analysed], X),
        is_from_frame=is_from_frame,
    )


def _check_target(whole, y):
    n_blank = int(whole.isna().sum())
    # gaps are named where they are the reason; read_values names a short series
    if len(y) < min(N_ROWS, len(whole)) and n_blank:
        raise ValueError(
            f"{whole.name!r} is blank in {n_blank:,} of {len(whole):,} rows, and its longest "
            f"stretch without a gap of more than {LONGEST_BRIDGED} rows has {len(y)}, but at least "
            f"{N_ROWS} are needed: fill the gaps or give a longer series."
        )
    part = f"{whole.name!r}" if len(y) == len(whole) else f"the longest stretch of {whole.name!r}"
    read_values(y, N_ROWS, part)


def _check_inputs(X):
    for name in [] if X is None else X:
        given = X[name].dropna()
        if len(given) < N_ROWS:
            raise ValueError(
                f"the input {name!r} has {len(given)} values in the {len(X):,} rows analysed, but "
                f"at least {N_ROWS} are needed: fill it or leave it out."
            )
        if given.nunique() == 1:
            raise ValueError(
                f"the input {name!r} is constant, at {given.iloc[0]:g}, in all {len(X):,} rows "
                "analysed: leave it out."
            )
        read_values(X[name], N_ROWS, f"the input {name!r}", allow_nan=True)


def _check_horizon(horizon, n):
    check_count("horizon", horizon)
    if horizon > n // HELD_OUT:
        raise ValueError(
            f"a horizon of {horizon:,} rows is too far for the {n:,} rows analysed: give at "
            f"most horizon={n // HELD_OUT}, a fifth of them, or a longer series."
        )


def _notes(whole, y, unfilled, X):
    """Note missing rows, the rows analysed and bridged, and those that inputs lack."""
    write = label_writer(whole.index)
    notes = note_blanks(whole, f"the {len(whole):,} rows from its first value to its last", write)
    if len(y) < len(whole):
        notes.append(
            f"Analysed are the {len(y):,} rows from {write(y.index[0])} to {write(y.index[-1])}, "
            f"the longest stretch without a gap; the series has {len(whole):,}."
        )
    n_filled = int(unfilled.isna().sum())
    if n_filled == 1:
        notes.append("Of the rows analysed 1 is bridged by a straight line.")
    elif n_filled:
        notes.append(
            f"Of the rows analysed {n_filled:,} are bridged by straight lines, {LONGEST_BRIDGED} "
            "at most in a row."
        )
    where = f"the {len(y):,} rows analysed"
    of_inputs = [] if X is None else [note for c in X for note in note_blanks(X[c], where, write)]
    if of_inputs:
        of_inputs.append("Inputs are not bridged: rows that need a blank one are left out.")
    return notes + of_inputs
