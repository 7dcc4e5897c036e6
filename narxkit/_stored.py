"""Value types that an archive may hold of a model, by name."""

STORED = {}


def stored(cls):
    """Mark a value type: a frozen dataclass, a NamedTuple or an enumeration.

    An archive keeps its fields, or the name of a member, and nothing of what follows from them.

    Parameters
    ----------
    cls : type
        The type.

    Returns
    -------
    type
        The same.

    Examples
    --------
    >>> from narxkit._stored import STORED
    >>> from narxkit.rows.reach import Reach
    >>> STORED["Reach"] is Reach
    True
    """
    STORED[cls.__name__] = cls
    return cls
