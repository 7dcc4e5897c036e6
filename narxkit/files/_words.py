"""Words for what is read: names without accents, labels, lists."""

import re
import unicodedata

import pandas as pd


def said(label):
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
    >>> said(pd.Timestamp("2024-01-01 07:00:00")), said(12)
    ('2024-01-01 07:00', 'row 12')
    """
    if not isinstance(label, pd.Timestamp):
        return f"row {label}"
    text = str(label)
    return text[:16] + text[19:] if text[16:].startswith(":00") else text


def listed(names):
    """List names, each between quotes.

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
    """
    return ", ".join(map(repr, map(str, names)))


def plain(text):
    """Letters without accents, in lower case."""
    parts = unicodedata.normalize("NFD", text.lower())
    return "".join(sign for sign in parts if not unicodedata.combining(sign))


def words(name):
    return re.findall(r"[a-z]+", plain(name))
