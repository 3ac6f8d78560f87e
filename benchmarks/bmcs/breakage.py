"""Which machines of a fleet are broken, and how. Pure."""

import random
from collections.abc import Sequence

FAULTS = ("hang", "refuse", "ignore-reset", "revert-boot", "never-calls-back")
"""As the lab calls them: the BMC answers nothing, takes no connection, ignores what it is told of
the power, forgets the boot device; or the installer falls silent near its end."""


def broken(machines: Sequence[str], share: float, *, seed: int) -> dict[str, str]:
    """Return the fault of each broken machine: `share` of all, by chance, every kind as often.

    The same for the same machines and seed.
    """
    chance = random.Random(seed)
    chosen = chance.sample(sorted(machines), round(len(machines) * share))
    return {name: FAULTS[number % len(FAULTS)] for number, name in enumerate(chosen)}
