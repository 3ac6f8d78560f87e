"""Ending with the process that started this one, however it ends (Linux)."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def die_with_parent(number: signal.Signals) -> None:
    """Have the kernel send us `number` when our parent dies; elsewhere than on Linux, nothing.

    Source: prctl(2), PR_SET_PDEATHSIG. A parent that died before the call is noticed too.
    """
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:
        raise SystemExit(1)
