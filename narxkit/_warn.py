"""Warnings that name the user's own line."""

import sys
import warnings
from pathlib import Path

PACKAGE = str(Path(__file__).parent)


def warn(message, category=UserWarning):
    """Warn at the first line outside the package, however deep inside it the reason lies."""
    frame, level = sys._getframe(), 1
    while frame is not None and frame.f_code.co_filename.startswith(PACKAGE):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
