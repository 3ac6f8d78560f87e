"""One entry of a BMC's event log, as far as it is compared with others (IPMI 2.0, table 32-1)."""

import struct
from dataclasses import dataclass

FIRST_OWN_LAYOUT, FIRST_UNDATED = 0xC0, 0xE0
NO_TIME = 0xFFFF_FFFF
CLOCK_STARTS_S = 0x2000_0000
"""Below, an entry is dated by the seconds since the BMC started: its clock was not set yet."""
DEASSERTION = 0x80
STATES_OF_ONE = range(0x02, 0x0D)
"""Generic event types (table 42-2) whose sensor is in one of its states at a time."""
LAN_LEASH_LOST = (0x05, 4)
NOT_HARDWARE = frozenset({0x06, 0x1E, 0x1F, 0x20, 0x2A})
"""Sensor types: wrong passwords, booting, systems and their stops, sessions."""


@dataclass(frozen=True)
class LogEntry:
    """`data` are the 16 bytes of the record."""

    data: bytes

    @property
    def number(self) -> int:
        return int.from_bytes(self.data[:2], "little")

    @property
    def made_s(self) -> int | None:
        """When, by the BMC's clock, in seconds; None where it is not said."""
        if self._kind >= FIRST_UNDATED:
            return None
        (made_s,) = struct.unpack_from("<I", self.data, 3)
        return None if made_s == NO_TIME else int(made_s)

    @property
    def is_before_clock(self) -> bool:
        return self.made_s is not None and self.made_s < CLOCK_STARTS_S

    @property
    def sensor(self) -> tuple[int, ...]:
        """What tells it from other sensors, with the type of its events."""
        return (*self.data[7:9], *self.data[10:12], self._event_type)

    @property
    def state(self) -> tuple[int, ...]:
        return (*self.sensor, self._offset)

    @property
    def is_deassertion(self) -> bool:
        return self._is_standard and bool(self.data[12] & DEASSERTION)

    @property
    def has_one_state(self) -> bool:
        """Whether its sensor leaves one state by entering another."""
        return self._is_standard and self._event_type in STATES_OF_ONE

    @property
    def says_nothing_of_hardware(self) -> bool:
        """Whether it tells of people and programs, or of a cable that a restart lets go of."""
        if not self._is_standard:
            return False
        return self.data[10] in NOT_HARDWARE or (self.data[10], self._offset) == LAN_LEASH_LOST

    @property
    def _kind(self) -> int:
        return self.data[2]

    @property
    def _is_standard(self) -> bool:
        return self._kind < FIRST_OWN_LAYOUT

    @property
    def _event_type(self) -> int:
        return self.data[12] & ~DEASSERTION

    @property
    def _offset(self) -> int:
        return self.data[13] & 0x0F
