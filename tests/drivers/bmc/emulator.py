"""Starts the real sushy-emulator with power transitions of half a second.

Run as a program: `python emulator.py CONFIG PORT`. Only the random delay of its
fake driver (1 to 11 s, whole seconds) is shortened; everything else is as shipped.
"""

import sys
import time

from sushy_tools.emulator import main
from sushy_tools.emulator.resources.systems import fakedriver


class _Soon:
    """Stands in for `time` and `random` in the fake driver's delay alone."""

    @staticmethod
    def randint(_low: int, _high: int) -> float:
        # The driver adds this to the whole second: make up for the fraction it cut off.
        return time.time() % 1 + 0.5


if __name__ == "__main__":
    fakedriver.random = _Soon
    sys.argv = [
        "sushy-emulator",
        "--config",
        sys.argv[1],
        "--port",
        sys.argv[2],
        "--interface",
        "127.0.0.1",
    ]
    sys.exit(main.main())
