"""How fast the datacentre's time runs: real seconds of hardware per second of ours."""

import asyncio
import time

MIN_SPEED = 0.1
MAX_SPEED = 100_000.0


class Pace:
    """Turns hardware seconds into waiting; a change of speed reaches sleepers at once."""

    def __init__(self, speed: float) -> None:
        self._speed = checked_speed(speed)
        self._changed = asyncio.Event()

    @property
    def speed(self) -> float:
        return self._speed

    def change(self, speed: float) -> None:
        self._speed = checked_speed(speed)
        self._changed.set()
        self._changed = asyncio.Event()

    async def sleep(self, hardware_s: float) -> None:
        """Wait as long as hardware would take `hardware_s` seconds, at the current speed."""
        left_s = hardware_s
        while left_s > 0:
            speed, changed, began = self._speed, self._changed, time.monotonic()
            try:
                await asyncio.wait_for(changed.wait(), left_s / speed)
            except TimeoutError:
                return
            left_s -= (time.monotonic() - began) * speed


def checked_speed(speed: float) -> float:
    """Return `speed`, or raise ValueError outside of 0.1 to 100,000."""
    if not MIN_SPEED <= speed <= MAX_SPEED:
        raise ValueError(f"speed must be between {MIN_SPEED} and {MAX_SPEED:.0f}, not {speed}")
    return speed
