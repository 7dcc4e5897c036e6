"""BLAS on one thread: the same bits wherever a kernel runs, and no threads within threads."""

from contextlib import contextmanager
from functools import cache
from threading import Lock

from threadpoolctl import ThreadpoolController

_lock = Lock()
_n_inside = 0
_limit = None


@cache
def _controller():
    return ThreadpoolController()


@contextmanager
def one_blas_thread():
    """Hold BLAS to one thread.

    The limit belongs to the process: the first to enter sets it, the last to leave puts the old
    one back, so that calls from several threads neither lift it early nor leave it behind.
    """
    global _n_inside, _limit
    with _lock:
        if _n_inside == 0:
            _limit = _controller().limit(limits=1, user_api="blas")
        _n_inside += 1
    try:
        yield
    finally:
        with _lock:
            _n_inside -= 1
            if _n_inside == 0:
                _limit.restore_original_limits()
