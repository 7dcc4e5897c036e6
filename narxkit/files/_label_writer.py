"""Labels in words, as short as the clock of their rows allows."""

import pandas as pd

from narxkit.rows.clock import Clock

from ._formatting import format_label

_MONTHS_OF_QUARTERS = ({1, 4, 7, 10}, {3, 6, 9, 12})  # quarters stand on their first or last day


def label_writer(index):
    """Find how the labels of rows are written: no more of them than their clock tells apart.

    Parameters
    ----------
    index : Index
        The rows: their clock decides for all labels, also for those that follow.

    Returns
    -------
    callable
        Writes a label: ``2024`` of years, ``2024Q1`` of quarters, ``2024-01`` of months,
        ``2024-01-31`` of days and weeks, ``2024-01-31 07:00`` of hours, ``row 12`` without a clock.

    Examples
    --------
    >>> import pandas as pd
    >>> from narxkit.files import label_writer
    >>> months = pd.date_range("2024-01-01", periods=3, freq="MS")
    >>> label_writer(months)(months[2])
    '2024-03'
    """
    if isinstance(index, pd.PeriodIndex):
        return str
    if not isinstance(index, pd.DatetimeIndex) or not (index == index.normalize()).all():
        return format_label
    clock = Clock.from_index(index)
    if clock.unit != "month":
        return _day
    if clock.step % 12 == 0:
        return _year
    is_quarterly = clock.step == 3 and any(set(index.month) <= q for q in _MONTHS_OF_QUARTERS)
    return _quarter if is_quarterly else _month


def _day(label):
    return f"{label:%Y-%m-%d}"


def _month(label):
    return f"{label:%Y-%m}"


def _quarter(label):
    return f"{label:%Y}Q{label.quarter}"


def _year(label):
    return f"{label:%Y}"
