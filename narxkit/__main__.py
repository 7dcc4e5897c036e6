"""``python -m narxkit`` is the command ``narxkit``."""

import sys

from narxkit.cli import main

if __name__ == "__main__":
    sys.exit(main())
