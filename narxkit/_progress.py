"""The convention of progress: long calls take ``progress(text, done, total)``."""


def no_progress(text, done, total):
    """Report nothing, where the caller wants no progress."""
