"""The reach of a prediction: the rows and columns that it reads around its own row."""

from dataclasses import dataclass, field, replace
from functools import cached_property

from narxkit._stored import stored


@stored
@dataclass(frozen=True)
class Reach:
    """The rows and columns that a prediction reads.

    Parameters
    ----------
    outputs : tuple of (int, int), default=()
        Column of y and lag, at least 1, of each output that is read; a run on its own output takes
        their places over one after another.
    inputs : tuple of (int, int), default=()
        Column of X and lag of each input that is read; negative lags are leads.
    window : int, default=0
        Rows before the history that are read where they are there.
    both_ways : bool, default=False
        Whether all rows of a stretch are read, those after its own as well.
    carry : int, default=0
        Rows before all these in which a value that is carried on to them may have been measured.

    Examples
    --------
    >>> reach = Reach(outputs=((0, 1), (0, 24)), inputs=((0, 0), (0, -1)))
    >>> reach.history, reach.lead, reach.feedback
    (24, 1, 24)
    """

    outputs: tuple[tuple[int, int], ...] = ()
    inputs: tuple[tuple[int, int], ...] = ()
    window: int = 0
    both_ways: bool = False
    carry: int = field(default=0, repr=False)

    @cached_property
    def history(self):
        """Rows before its own without which nothing is predicted."""
        return max([self.feedback, *(lag for _, lag in self.inputs)])

    @cached_property
    def lead(self):
        """Rows after its own that a prediction needs."""
        return max([0, *(-lag for _, lag in self.inputs)])

    @cached_property
    def feedback(self):
        """Rows of outputs that a run on its own output starts from."""
        return max((lag for _, lag in self.outputs), default=0)

    @property
    def carries(self):
        """Whether a run hands anything on from step to step: its own output, or a state."""
        return bool(self.outputs or self.window or self.both_ways)

    @property
    def memory(self):
        """Rows before its own of which a prediction may read any."""
        return self.history + self.window + self.carry

    def of_first_outputs(self, n):
        """Return the reach of what runs further outputs behind these along inside.

        Examples
        --------
        >>> Reach(outputs=((0, 1), (1, 1), (1, 2))).of_first_outputs(1).outputs
        ((0, 1), (0, 2))
        """
        lags = sorted({lag for _, lag in self.outputs})
        return replace(self, outputs=tuple((j, lag) for j in range(n) for lag in lags))


def of_outputs(lags, n_outputs):
    """Return the reach of what reads these lags of every output, and no input.

    Examples
    --------
    >>> of_outputs([1], 2)
    Reach(outputs=((0, 1), (1, 1)), inputs=(), window=0, both_ways=False)
    """
    return Reach(outputs=tuple((j, int(lag)) for j in range(n_outputs) for lag in lags))
