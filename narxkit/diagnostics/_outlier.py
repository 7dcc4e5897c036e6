"""One value that carries the variance: estimates of the series then describe that value.

All methods here weigh squares. Where one value carries a third of their sum, the estimates reflect
it more than the series, and the intervals, which are those of Gaussian noise, neither. Its effect
depends on where it stands: amid the series it looks like white noise (H = 1/2), but near an
end, or an edge of a box, the likelihood hardly knows H any more, detrending takes the value for a
trend, and wavelets see it at some scales only.

Of 1,000 series of 1,000 rows each, Student's t with 3 degrees of freedom had such a value in 4 %,
with 4 degrees in 0.4 %, GARCH(1, 1) in none; of 10,000 rows in 1.4 %, 0 % and 0 %.
"""

from typing import NamedTuple

import numpy as np

SEE = "check whether it is a fault, such as of a sensor, and if so replace it by a likely value"
FEW = 3  # values that are put aside: a single one, or the steps to it and back, and one more
HEAVY = 1 / 3  # of the variance: detrended fluctuations go wrong from there on


class Outlier(NamedTuple):
    """A row, counted from 0, and the share of the variance that its value carries."""

    row: int
    share: float
    what: str = "value in"

    @property
    def of_step(self):
        """The same of a difference, named after the row that the step leads to."""
        return Outlier(self.row + 1, self.share, "step to")

    def __str__(self):
        share = np.floor(self.share * 100)
        return f"the {self.what} row {self.row:,} carries {share:.0f} % of the variance"


def find_outlier(values):
    """Find the value that carries a third of the variance or more.

    Parameters
    ----------
    values : ndarray of shape (n,)
        A series.

    Returns
    -------
    Outlier or None
        The first such value where there are two, as the steps to a value and back.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.tile([-1.0, 1.0], 50)
    >>> x[7] = 30.0
    >>> str(find_outlier(x))
    'the value in row 7 carries 89 % of the variance'
    """
    squares = (values - values.mean()) ** 2
    heavy = np.flatnonzero(squares > HEAVY * squares.sum())
    return Outlier(int(heavy[0]), float(squares[heavy[0]] / squares.sum())) if len(heavy) else None


def without_outliers(values):
    """Put the mean of all others in the place of such a value, and of others then found, if few.

    Returns
    -------
    ndarray of shape (n,)
        A copy.
    """
    rest = values.copy()
    for _ in range(FEW):
        outlier = find_outlier(rest)
        if outlier is None:
            break
        # the mean keeps the clock: a row less would shift seasons and lags
        rest[outlier.row] = np.delete(rest, outlier.row).mean()
    return rest


def find_outlier_of_levels(levels):
    """Find such a value, or such a step, which is named after the row that it leads to."""
    found = find_outlier(levels)
    # a level that changes once has no heavy value, but one heavy step
    step = None if found else find_outlier(np.diff(levels))
    return step.of_step if step else found
