"""Short gaps of a series, bridged by straight lines, so that what comes after has a history."""

import numpy as np
import pandas as pd

from narxkit.rows.clock import Clock

LONGEST_BRIDGED = 3  # rows: a straight line over more of them would be read as memory


def find_seams(index):
    """Find jumps of the clock.

    Parameters
    ----------
    index : Index
        Labels of the rows.

    Returns
    -------
    ndarray of bool, shape (n,)
        True at each row that does not follow the one before it.

    Examples
    --------
    >>> import pandas as pd
    >>> hours = pd.date_range("2024-01-01", periods=5, freq="h")
    >>> find_seams(hours.delete(3)).nonzero()[0].tolist()
    [3]
    """
    clock = Clock.from_index(index)
    return np.zeros(len(index), bool) if clock is None else clock.breaks(index)


def bridge(series, seams=None):
    """Draw straight lines over missing rows, where they are few and no seam lies among them.

    Parameters
    ----------
    series : Series
        Values, NaN where missing.
    seams : ndarray of bool of shape (n,), default=None
        Rows that do not follow the one before them; by default those of the clock.

    Returns
    -------
    Series
        The values; NaN where more than three in a row are missing, or the first or the last are.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> bridge(pd.Series([np.nan, 1, np.nan, 3, np.nan, np.nan, np.nan, np.nan, 8])).tolist()
    [nan, 1.0, 2.0, 3.0, nan, nan, nan, nan, 8.0]
    """
    seams = find_seams(series.index) if seams is None else seams
    is_missing = series.isna()
    # a number for each run of missing or present rows
    run = (is_missing != is_missing.shift()).cumsum()
    is_short = is_missing & (is_missing.groupby(run).transform("size") <= LONGEST_BRIDGED)
    at_seam = is_missing & pd.Series(seams, series.index)
    # a seam right behind a gap: the line would lead across it
    at_seam |= is_missing & pd.Series(np.append(seams[1:], False), series.index)
    is_short &= ~at_seam.groupby(run).transform("any")
    # by row: steps within a segment are equal
    lines = series.reset_index(drop=True).interpolate(limit_area="inside")
    return series.where(~is_short, lines.to_numpy())


def longest_stretch(is_there, seams):
    """Find the longest run of rows that are there, the last one of equals.

    Parameters
    ----------
    is_there, seams : ndarray of bool of shape (n,)
        Which rows are there, and which of them do not follow the one before.

    Returns
    -------
    first, stop : int
        Its first row, and the one after its last.

    Examples
    --------
    >>> longest_stretch(np.array([True, False, True, True]), np.zeros(4, bool))
    (2, 4)
    """
    begins = is_there & (seams | ~np.append(False, is_there[:-1]))
    run = np.where(is_there, np.cumsum(begins), 0)
    lengths = np.bincount(run)
    lengths[0] = 0  # the rows that are not there
    longest = len(lengths) - 1 - np.argmax(lengths[::-1])  # from behind: the last of equals
    rows = np.flatnonzero(run == longest)
    return int(rows[0]), int(rows[-1]) + 1


def note_blanks(column, rows, write):
    """Report the blank cells of a column, if there are any.

    Parameters
    ----------
    column : Series
        The cells.
    rows : str
        A description of the rows.
    write : callable
        Writes a label.

    Returns
    -------
    list of str
        A sentence, or none.

    Examples
    --------
    >>> note_blanks(pd.Series([1, np.nan], name="load"), "the 2 rows", str)
    ["'load' is blank in 1 of the 2 rows, 1."]
    """
    is_blank = column.isna().to_numpy()
    if not is_blank.any():
        return []
    first, stop = longest_stretch(is_blank, np.zeros(len(column), bool))
    n, length, gap = int(is_blank.sum()), stop - first, column.index[first:stop]
    if n == 1:
        where = write(gap[0])
    elif length == 1:
        where = f"never two in a row, the last {write(gap[0])}"
    else:
        where = f"the longest gap {length:,} rows, from {write(gap[0])} to {write(gap[-1])}"
    return [f"{column.name!r} is blank in {n:,} of {rows}, {where}."]
