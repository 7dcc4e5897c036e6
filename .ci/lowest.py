"""Prints the lowest version of each requirement, as constraints for pip: ``numpy==2.0``.

The bounds stand in pyproject.toml alone; installing under these constraints shows them true.
"""

import re
import tomllib
from pathlib import Path

CONFIG = Path(__file__).parents[1] / "pyproject.toml"


def requirements():
    """Yield what building, running and testing narxkit require; not what it is compared with."""
    configuration = tomllib.loads(CONFIG.read_text())
    project = configuration["project"]
    yield from configuration["build-system"]["requires"]
    yield from project["dependencies"]
    for extra, listed in project["optional-dependencies"].items():
        if extra != "peers":
            yield from listed


def lowest(requirement):
    """Return the constraint to the lowest version, ``None`` for narxkit's own extras."""
    if requirement.startswith("narxkit["):
        return None
    name, bound = re.fullmatch(r"([\w-]+)>=([\d.]+)", requirement).groups()
    return f"{name}=={bound}"


if __name__ == "__main__":
    print("\n".join(dict.fromkeys(filter(None, map(lowest, requirements())))))
