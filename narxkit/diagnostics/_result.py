"""The base of all results of diagnostics: figures, their meaning, and one sentence."""

from html import escape
from typing import NamedTuple

import pandas as pd


class Row(NamedTuple):
    """A line of a result: the quantity, its value, its meaning."""

    name: str
    value: str
    meaning: str = ""


class Result:
    """Base of the frozen results: text for a terminal, HTML for a notebook, a frame.

    A subclass is a frozen dataclass with ``repr=False``, and says its `sentence` and `figures`.
    """

    @property
    def sentence(self):
        """The result in one sentence."""
        raise AttributeError(f"{type(self).__name__} says no sentence")

    @property
    def figures(self):
        """Lines of the table, a list of Row."""
        raise AttributeError(f"{type(self).__name__} lists no figures")

    def to_frame(self):
        """Gather the figures as a frame of text.

        Returns
        -------
        DataFrame
            One row per figure, with the columns "value" and "meaning".
        """
        names, values, meanings = zip(*self.figures)
        return pd.DataFrame(
            {"value": values, "meaning": meanings}, index=pd.Index(names, name="figure")
        )

    def __repr__(self):
        widths = [max(map(len, column)) for column in zip(*self.figures)]
        lines = ("  ".join(map(str.ljust, figure, widths)).rstrip() for figure in self.figures)
        return "\n".join([self.sentence, "", *(f"  {line}" for line in lines)])

    def _repr_html_(self):
        rows = "".join(
            f"<tr><th>{escape(name)}</th><td>{escape(value)}</td><td>{escape(meaning)}</td></tr>"
            for name, value, meaning in self.figures
        )
        return f"<p><strong>{escape(self.sentence)}</strong></p><table>{rows}</table>"
