"""Series in files as people keep them: CSV in the dialects of many countries, and Parquet.

`read_series` answers with a frame of numbers over time and with sentences on everything that it
found and mended. What it takes for what:

- The **encoding** is found by the marks, zeros and letters of a text: UTF-8, UTF-16, Chinese,
  Japanese, Korean, Cyrillic, else Western. Packed files are unpacked up to a bound.
- The **separator** is that of tab, ``;``, ``|`` and ``,`` that most lines hold equally often and by
  which most cells are values, else blanks. The header is the line above the first values, or has
  their number of cells; lines before it, of units below it and behind the last row are skipped.
  Numbers have a decimal comma where some can be read only so; where all could be either
  (``14.380``), the sign stands for thousands if plain numbers of up to three digits stand beside
  it.
- The **time column** is the one named, else one with the name of a time in one of several
  languages, else the first that holds dates. Columns of clock times or hours beside one of dates,
  and of a year with its months, quarters, weeks, days and hours, are joined. Dates are read day
  first or month first, whichever all of them allow, and where both are possible, whichever makes
  the fewest seams and then the evenest steps. Numbers are years, dates without signs, seconds to
  nanoseconds since 1970, or time elapsed, whose rows are numbered.
- A **cell** that is no number is missing; so are ``NA``, ``-`` and their like, and codes that are
  named; values that recur far from all others are reported. Money, percents and numbers
  with a unit that all cells of a column share are read without it, but two currencies in one column
  are text. A column that holds mostly text is left out.
- Rows of the same time are averaged, unless they are many: then something tells them apart, a
  column of series, an hour or a place, and that is refused. So is a table whose rows are series.
- `read_panel` reads many series of one table, whose rows a column of names tells apart: the same,
  but a time stands once in each.
- Missing rows of a regular clock are inserted, unless more than ``LONGEST_FILLED`` of them
  follow each other: such a gap stays a seam. A few rows that stand where the others could never
  reach are left out.

Columns of plain numbers are read by pandas; regular expressions see only the cells that it leaves
as text. Whatever a sentence quotes from a file can be printed without harm.
"""

from ._formatting import format_label, listed
from ._label_writer import label_writer
from ._panel import PanelFile, read_panel
from ._series import SeriesFile, read_series

__all__ = [
    "PanelFile",
    "SeriesFile",
    "format_label",
    "label_writer",
    "listed",
    "read_panel",
    "read_series",
]
