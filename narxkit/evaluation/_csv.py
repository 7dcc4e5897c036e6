"""Forecasts as CSV, which spreadsheets open without running anything."""

FORMULAS = ("=", "+", "-", "@", "\t", "\r")  # what a cell that a spreadsheet runs begins with


def write_csv(frame, path, index=True):
    """Write forecasts as CSV; text that a spreadsheet would run gets an apostrophe in front.

    Names of columns come from files of anybody, and a spreadsheet runs a cell such as
    ``=HYPERLINK(...)`` as a formula. Numbers and times stay as they are.

    Parameters
    ----------
    frame : DataFrame
        Forecasts.
    path : str or path
        The file; it is compressed where its name ends in ``.gz``.
    index : bool, default=True
        Whether to write the labels of the rows.

    References
    ----------
    OWASP, "CSV injection".

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd
    >>> from narxkit.evaluation import write_csv
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "forecast.csv"
    ...     write_csv(pd.DataFrame({"=1+1": [-2.5]}), path, index=False)
    ...     path.read_text()
    "'=1+1\\n-2.5\\n"
    """
    safe = frame.rename(columns=_defused).rename_axis(index=_defused(frame.index.name))
    # numbers may begin with a minus: they are left alone
    for name in safe.select_dtypes(["object", "string"]):
        safe[name] = safe[name].map(_defused)
    safe.to_csv(path, index=index)


def _defused(cell):
    if not isinstance(cell, str):
        return cell
    marked = f"'{cell}" if cell.startswith(FORMULAS) else cell
    return marked.replace("\r", " ")  # which is not quoted, and ends a row where it is read
