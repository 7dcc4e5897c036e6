"""Diagnosis of a series before it is forecast, as text and as a page.

A `Subject` is a column without gaps and what may explain it, of a built-in series or of a table of
the user. `diagnose` gathers the reports of `narxkit.diagnostics` on it, and `write_page`
writes them as one page that needs no other file.
"""

from ._base import Diagnosis, Failure, diagnose
from ._page import write_page
from ._subject import Subject, builtin_subject, subject_from_frame

__all__ = [
    "Diagnosis",
    "Failure",
    "Subject",
    "diagnose",
    "subject_from_frame",
    "builtin_subject",
    "write_page",
]
