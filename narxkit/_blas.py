"""BLAS on one thread: the same bits wherever a kernel runs, and no threads within threads."""

from contextlib import contextmanager
from functools import cache
from threading import Lock

from threadpoolctl import ThreadpoolController

_lock = Lock()
_n_inside = 0
_n_before = []


@cache
def _libraries():
    """Return the BLAS libraries of this process.

    Set one by one they take little more than half the time of threadpoolctl's limits, which make a
    report on each: that counts in a short forecast.
    """
    return ThreadpoolController().select(user_api="blas").lib_controllers


@contextmanager
def one_blas_thread():
    """Hold BLAS to one thread.

    The limit belongs to the process: the first to enter sets it, the last to leave puts the old
    one back, so that calls from several threads neither lift it early nor leave it behind.
    """
    global _n_inside
    with _lock:
        if _n_inside == 0:
            _n_before[:] = [library.get_num_threads() for library in _libraries()]
            _set_numbers_of_threads([1] * len(_n_before))
        _n_inside += 1
    try:
        yield
    finally:
        with _lock:
            _n_inside -= 1
            if _n_inside == 0:
                _set_numbers_of_threads(_n_before)


def _set_numbers_of_threads(numbers):
    for library, n in zip(_libraries(), numbers):
        library.set_num_threads(n)
