"""Value types that an archive may hold of a model, by name."""

STORED = {}


def stored(cls):
    """Mark a value type: a dataclass, a NamedTuple, an enumeration or a plain class.

    An archive keeps its fields, the name of its member or its attributes; of a dataclass nothing
    that follows from its fields.

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
