"""Ctrl-C during a run: what each press does, and how long it is remembered.

Design
------
(a) The first press ends the run, not the program: whoever waits for one model has its best
    parameters so far. A kernel at work sees the flag within a few milliseconds.
(b) A press is remembered while the code goes on that it met: a script, or the one statement at a
    prompt or in a notebook. The next run in there raises KeyboardInterrupt at its door, so that a
    loop around runs ends; the next statement starts afresh. What tells them apart is the innermost
    module-level code object on the stack: each statement at a prompt is compiled anew.
(c) A search throws models away and keeps their scores, and a truncated run must not be scored as
    a whole one. So where a module of a package ``model_selection`` is among the callers, the first
    press raises, once the run has ended.
(d) A second press raises too, at the same safe point, never in the middle of a statement of ours;
    but two seconds after the first one something hangs, such as a callback, and it raises there.
"""

import inspect
import signal
import socket
import sys
import threading
import time
from contextlib import contextmanager

SEARCH = "model_selection"  # what the packages of searches are called
STUCK = 2.0  # seconds after the first press in which a run should have ended

_remembered = None  # the module-level code in which a run was interrupted


@contextmanager
def interruptible(flag):
    """Let Ctrl-C end a run gently, and a loop around runs at the door of its next one.

    The first SIGINT sets ``flag``, at once even where the main thread is inside a kernel, and the
    run keeps its best. The next run raises KeyboardInterrupt where it begins, if it belongs to the
    same script, or to the same statement at a prompt or in a notebook; the next statement starts
    afresh. Signals reach the main thread only, so anywhere else this does nothing; nor does it
    where SIGINT is ignored or belongs to a handler outside Python. The handler met is put back at
    the end.

    Parameters
    ----------
    flag : ndarray of shape (1,) and dtype int32
        Set to 1 on the first SIGINT.

    Yields
    ------
    flag : ndarray of shape (1,) and dtype int32
        The same array.

    Raises
    ------
    KeyboardInterrupt
        At the beginning, where an earlier run of the same script or statement was interrupted. At
        the end, after a second SIGINT, or after the first where a search of scikit-learn, or any
        other of a package ``model_selection``, is among the callers: it would score the truncated
        run as a whole one. In between only on a SIGINT two seconds or more after the first one.

    Examples
    --------
    >>> import signal
    >>> import numpy as np
    >>> from narxkit.solvers import interruptible
    >>> with interruptible(np.zeros(1, dtype=np.int32)) as flag:
    ...     signal.raise_signal(signal.SIGINT)
    >>> int(flag[0])
    1
    """
    is_ours = threading.current_thread() is threading.main_thread()
    previous = signal.getsignal(signal.SIGINT)
    # signals can be set in the main thread alone; a handler of C is None here
    if not is_ours or previous in (None, signal.SIG_IGN):
        yield flag
        return
    # a loop over fits ends at the second, not after the last
    raise_if_interrupted()
    presses = _Presses(flag)
    signal.signal(signal.SIGINT, presses)
    try:
        with _watched(flag), presses.counted():
            yield flag
    finally:
        signal.signal(signal.SIGINT, previous)
    presses.settle()


class _Presses:
    """The handler of SIGINT during a run, and what follows from the presses it has met."""

    def __init__(self, flag):
        self.flag, self.n, self.may_raise = flag, 0, False

    def __call__(self, signum, frame):
        self.flag[0] = 1
        self.n += 1
        # one press asks, the second insists: a kernel that hangs is left after a while
        if self.n == 1:
            self.stuck_from = time.monotonic() + STUCK
        elif self.may_raise and time.monotonic() > self.stuck_from:
            raise KeyboardInterrupt

    @contextmanager
    def counted(self):
        """Run a block; what fails in it because it was cut short is the interrupt, no error."""
        self.may_raise = True
        try:
            yield
        except Exception as error:
            if self.n:
                raise KeyboardInterrupt from error
            raise
        finally:
            self.may_raise = False

    def settle(self):
        """Settle an interrupt: raise, or remember where the run was interrupted."""
        # a search would rank the truncated fit among whole ones
        if self.n > 1 or self.n and is_searching():
            raise KeyboardInterrupt
        if self.n:
            remember_interrupt()


def remember_interrupt():
    """Remember that what runs was interrupted, so that a loop around it ends at its next run.

    For those who run several fits and keep what they have, such as AutoNARX.

    Examples
    --------
    >>> from narxkit.solvers import raise_if_interrupted, remember_interrupt
    >>> remember_interrupt()
    >>> raise_if_interrupted()  # the next statement starts afresh
    """
    global _remembered
    if threading.current_thread() is threading.main_thread():
        _remembered = next(filter(_is_of_module, _running()), None)


def raise_if_interrupted():
    """Raise KeyboardInterrupt if an earlier run of this script or statement was interrupted.

    As at the door of each run; it is forgotten then.

    Raises
    ------
    KeyboardInterrupt
        When there was one.

    Examples
    --------
    >>> from narxkit.solvers import raise_if_interrupted
    >>> raise_if_interrupted()  # none was
    """
    if threading.current_thread() is not threading.main_thread():
        return
    met = _remembered
    forget()
    if met is not None and any(code is met for code in _running()):
        raise KeyboardInterrupt("an earlier fit was interrupted, and this is the next one.")


def forget():
    """Forget an earlier interrupt, as the end of its script or statement does."""
    global _remembered
    _remembered = None


def _frames():
    """Return the stack, the innermost frame first."""
    frames = [sys._getframe(1)]
    while (frame := frames[-1].f_back) is not None:
        frames.append(frame)
    return frames


def _running():
    return [frame.f_code for frame in _frames()]


def _is_of_module(code):
    return not code.co_flags & inspect.CO_OPTIMIZED


def is_searching(apart_from=()):
    """Tell whether a search is among the callers: a module of a package ``model_selection``.

    Parameters
    ----------
    apart_from : str or tuple of str, default=()
        How the names of modules begin that do not count.

    Returns
    -------
    bool
        Whether there is one.

    Examples
    --------
    >>> from narxkit.solvers import is_searching
    >>> is_searching()
    False
    """
    modules = (frame.f_globals.get("__name__") or "" for frame in _frames())
    return any(SEARCH in m.split(".") and not m.startswith(apart_from) for m in modules)


@contextmanager
def _watched(flag):
    """Set ``flag`` when a SIGINT arrives, not only when its handler is called.

    Python calls handlers between two bytecodes of the main thread, so after a kernel has returned.
    What it does at once is to write the signal's number to the wakeup descriptor: here a thread
    waits for it. A descriptor that was set before is restored.
    """
    inbox, outbox = socket.socketpair()
    # a full buffer must not block the signal handler
    outbox.setblocking(False)
    # kernels look at the flag; a handler would wait until they return
    listener = signal.set_wakeup_fd(outbox.fileno(), warn_on_full_buffer=False)
    if listener != -1:
        signal.set_wakeup_fd(listener)

    def watch():
        while number := inbox.recv(1):
            if number[0] == signal.SIGINT:
                flag[0] = 1

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(listener)
        # recv returns nothing, and the thread ends
        outbox.close()
        thread.join()
        inbox.close()
