"""Words that sentences share: text from outside, harmless on a terminal, and counts of things."""


def printable(text):
    """Write text from outside so that a terminal shows it and obeys nothing in it.

    Parameters
    ----------
    text : object
        A name, a path or a cell, which may hold escape sequences, line breaks or marks of the
        direction of writing.

    Returns
    -------
    str
        The text, what cannot be printed as its escape in Python.

    Examples
    --------
    >>> print(printable("load\\x1b[31m.csv"), printable("Außenluft °C"))
    load\\x1b[31m.csv Außenluft °C
    """
    text = str(text)
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)


def counted(n, noun):
    """Write so many of a thing: "1 row" or "1,200 rows"."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
