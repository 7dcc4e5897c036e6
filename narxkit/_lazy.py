"""Names of a package that are imported when they are first asked for."""

import sys
from importlib import import_module


def load_lazily(package, homes):
    """Make the `__getattr__` and the `__dir__` of a package.

    Parameters
    ----------
    package : str
        Its name.
    homes : dict of str to tuple of str
        Names by the module of the package that holds them.

    Returns
    -------
    tuple of function
        Imports a name and keeps it in the package; lists all names.

    Examples
    --------
    >>> import narxkit
    >>> from narxkit._lazy import load_lazily
    >>> get, names = load_lazily("narxkit", {"significance": ("hit_rate",)})
    >>> get("hit_rate").__module__, "hit_rate" in names()
    ('narxkit.significance', True)
    """
    module = sys.modules[package]
    home_of = {name: home for home, names in homes.items() for name in names}

    def __getattr__(name):
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{home_of[name]}"), name)
        # the next access finds it without __getattr__
        setattr(module, name, value)
        return value

    def __dir__():
        return sorted({*vars(module), *home_of})

    return __getattr__, __dir__
