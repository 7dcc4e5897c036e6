"""Words for what is read: names without accents, labels, lists, hints for pandas."""

import re
import unicodedata

import pandas as pd

MOST_LISTED = 12


def format_label(label):
    """Write a time stamp without what is zero, or another label as it is.

    Parameters
    ----------
    label : Timestamp or int
        The label of a row.

    Returns
    -------
    str
        The label in words.

    Examples
    --------
    >>> import pandas as pd
    >>> format_label(pd.Timestamp("2024-01-01 07:00:00")), format_label(12)
    ('2024-01-01 07:00', 'row 12')
    """
    if not isinstance(label, pd.Timestamp):
        return f"row {label}"
    text = str(label)
    return text[:16] + text[19:] if text[16:].startswith(":00") else text


def listed(names):
    """List names, each between quotes, the first of them where they are many.

    Parameters
    ----------
    names : iterable
        The names.

    Returns
    -------
    str
        The list.

    Examples
    --------
    >>> listed(["load", 3])
    "'load', '3'"
    >>> listed(range(2597))
    "'0', '1', '2', '3', '4', '5', '6', '7', '8', '9' and 2,587 more"
    """
    names = list(map(str, names))
    if len(names) <= MOST_LISTED:
        return ", ".join(map(repr, names))
    shown = ", ".join(map(repr, names[: MOST_LISTED - 2]))
    return f"{shown} and {len(names) - MOST_LISTED + 2:,} more"


def reading_options(cells):
    """Write the options by which pandas reads the file of these cells, for advice in code."""
    sign, decimal = cells.attrs.get("separator", ","), cells.attrs.get("decimal")
    separator = {",": "", " ": r", sep='\s+'"}.get(sign, f", sep={sign!r}")
    return separator + (", decimal=','" if decimal == "," else "")


def plain(text):
    """Remove accents and capitals."""
    parts = unicodedata.normalize("NFD", text.lower())
    return "".join(sign for sign in parts if not unicodedata.combining(sign))


def words(name):
    """Split a name into words, also one such as 'openTime'."""
    return re.findall(r"[a-z]+", plain(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)))
