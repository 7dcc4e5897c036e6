"""The verdicts on several outputs, side by side."""

from dataclasses import dataclass

import pandas as pd

from narxkit.diagnostics._result import Result
from narxkit.plotting.base import load_matplotlib

from .verdict import HEIGHT, WIDTH, draw_pictures, lay_out

TITLE = 0.4  # inches, for the name of an output


@dataclass(frozen=True, repr=False, eq=False)
class ValidityTable(Result):
    """Verdicts on several outputs, the result of `validate`.

    Each output is evaluated by itself, at 5 % over its tests. The test phi_ee asks for earlier
    residuals of the other outputs too.

    Parameters
    ----------
    outputs : dict of str to Validity
        By name of the output.

    Attributes
    ----------
    pvalues : DataFrame
        p-values by test, a column for each output.
    failures : dict of str to list of str
        Tests that fail, of outputs with any.
    is_white : bool
        Whether the residuals of all outputs are.

    See Also
    --------
    validate : Makes it from a model.
    validate_residuals : Makes it from residuals.

    Examples
    --------
    >>> import numpy as np
    >>> from narxkit.diagnostics import validate_residuals
    >>> E = np.random.default_rng(0).normal(size=(400, 2))
    >>> E[3:, 1] += 0.5 * E[:-3, 0]
    >>> result = validate_residuals(E)
    >>> result.failures
    {'output 1': ['phi_ee']}
    >>> print(result.sentence)
    The residuals of 1 of 2 outputs are white. output 1: The residuals are not white: they go with
    those of output 0 of 3 rows before (phi_ee, p = 0.001): let output_lags reach lag 3, or, if
    they do, look for a missing input.
    """

    outputs: dict

    @property
    def pvalues(self):
        """Each test's p-value, a column for each output."""
        return pd.DataFrame({name: result.pvalues for name, result in self.outputs.items()})

    @property
    def failures(self):
        """Tests that fail, of outputs with any."""
        failures = {name: result.failures for name, result in self.outputs.items()}
        return {name: tests for name, tests in failures.items() if tests}

    @property
    def is_white(self):
        """Whether the residuals of all outputs are."""
        return all(result.is_white for result in self.outputs.values())

    @property
    def sentence(self):
        """Number of outputs with white residuals, and the verdict on each that has a fault."""
        n_white = sum(result.is_white for result in self.outputs.values())
        whose = f"all {n_white}" if self.is_white else f"{n_white} of {len(self.outputs)}"
        loops = {result.loop for result in self.outputs.values()}
        are_white = "are white" if loops == {"open"} else "are those of a right model"
        faults = (f" {name}: {r.sentence}" for name, r in self.outputs.items() if r.has_fault)
        return f"The residuals of {whose} outputs {are_white}.{''.join(faults)}"

    @property
    def figures(self):
        """The figures of each output, after its name."""
        return [
            figure._replace(name=f"{name}: {figure.name}")
            for name, result in self.outputs.items()
            for figure in result.figures
        ]

    def to_frame(self):
        """Gather the figures as a frame of text.

        Returns
        -------
        DataFrame
            One row per output and figure, with the columns "value" and "meaning".
        """
        frames = {name: result.to_frame() for name, result in self.outputs.items()}
        return pd.concat(frames, names=["output"])

    def plot(self, unit=None):
        """Draw all pictures of all outputs on one figure, one output below the other.

        Parameters
        ----------
        unit : str or dict of str to str, default=None
            Unit of all outputs, or of each by its name.

        Returns
        -------
        Figure
            The figure of matplotlib.
        """
        units = unit if isinstance(unit, dict) else dict.fromkeys(self.outputs, unit)
        pictures = {name: r._pictures(units.get(name)) for name, r in self.outputs.items()}
        heights = [HEIGHT * len(lay_out(of_output)) + TITLE for of_output in pictures.values()]
        size = WIDTH, sum(heights)
        figure = load_matplotlib().figure(figsize=size, layout="constrained")
        parts = figure.subfigures(len(pictures), height_ratios=heights)
        for part, (name, of_output) in zip(parts, pictures.items()):
            part.suptitle(name)
            draw_pictures(part, of_output)
        return figure
