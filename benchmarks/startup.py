"""Start-up: what importing narxkit costs in a fresh interpreter."""

import os
import subprocess
import sys
import tempfile
from functools import partial

from .harness import Case
from .report import Suite

COMMAND = """
import time
import {before}
start = time.perf_counter()
import {module}
print(time.perf_counter() - start)
"""


def importing(module, before, cache):
    """A gauge: seconds that a fresh interpreter takes to import a module after another one."""
    command = [sys.executable, "-c", COMMAND.format(module=module, before=before)]
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": cache.name}

    def seconds():
        answer = subprocess.run(
            command, env=environment, check=True, stdout=subprocess.PIPE, text=True
        )
        return float(answer.stdout)

    return seconds


def imports(before="time"):
    """narxkit and scikit-learn, both compiled to one folder in the turn that does not count."""
    cache = tempfile.TemporaryDirectory()
    return importing("narxkit", before, cache), importing("sklearn.linear_model", "time", cache)


SUITE = Suite(
    "Start-up, fresh interpreters",
    [
        Case(
            "import narxkit",
            "import sklearn.linear_model",
            imports,
            target=200,
            figure="excess",
            repeats=9,
        ),
        Case(
            "import narxkit after sklearn.linear_model",
            "import sklearn.linear_model",
            partial(imports, before="sklearn.linear_model"),
            target=200,
            repeats=5,
        ),
    ],
)
