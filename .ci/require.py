"""Can this Python, of any version, build narxkit? Says what is missing and how to get it."""

import os
import shutil
import sys
import sysconfig


def missing():
    version = sys.version.split()[0]
    if sys.version_info < (3, 11):
        return (
            "narxkit needs Python 3.11 or later, but %s is %s: name another interpreter, "
            "for example make PYTHON=python3.12." % (sys.executable, version)
        )
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        return (
            "Python %s cannot make environments: install its venv module "
            "(Debian: apt install python3-venv)." % version
        )
    if not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")):
        return (
            "Python %s has no headers to build against: install them "
            "(Debian: apt install python3-dev)." % version
        )
    compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc").split()[0]
    if shutil.which(compiler) is None:
        return (
            "The C compiler %s is not here: install one (Debian: apt install gcc) "
            "or name another with CC=..." % compiler
        )


if __name__ == "__main__":
    sys.exit(missing())
