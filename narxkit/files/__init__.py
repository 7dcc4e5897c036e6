"""Series in files as people keep them: CSV in the dialects of many countries, and Parquet.

`read_series` answers with a frame of numbers over time and with sentences on everything that it
found and mended. What it takes for what:

- The **separator** is the first of tab, ``;``, ``|`` and ``,`` that most lines hold equally often;
  lines before the first of these are skipped. Numbers have a decimal comma where some can be read
  only so; where all could be either (``14.380``), the sign stands for thousands if plain numbers of
  up to three digits stand beside it.
- The **time column** is the one named, else one with the name of a time in one of several
  languages, else the first that holds dates. A column of clock times beside one of dates is joined
  to it. Dates are read day first or month first, whichever all of them allow, and where both are
  possible, whichever gives the evener steps.
- A **cell** that is no number is missing; so are ``NA``, ``-`` and their like. A column that holds
  mostly text is left out.
- Rows of the same time are averaged, unless they are many: then something tells them apart, an
  hour or a place, and that is refused. Missing rows of a regular clock are put in as missing,
  unless more than ``LONGEST_FILLED`` of them follow each other: such a gap stays a seam.
"""

from ._series import SeriesFile, read_series
from ._words import listed, said

__all__ = ["SeriesFile", "listed", "read_series", "said"]
