"""Where makers keep the state of an outlet and the orders to it. Data.

Sources: PowerNet-MIB, CPS-MIB, EATON-EPDU-MIB and PDU2-MIB; the values of OpenStack Ironic's
`snmp` driver, where it knows the maker.
"""

from collections.abc import Mapping

import msgspec

from app.drivers.power import Power

ENTERPRISES = "1.3.6.1.4.1"


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """OIDs below `ENTERPRISES`, without the outlet's number at the end, and their values."""

    label: str
    state: str
    states: Mapping[int, Power]
    """What is none of these is on the way between the two."""
    on: tuple[str, int]
    off: tuple[str, int]


_SIMPLE = {1: Power.ON, 2: Power.OFF}
_RPDU, _RPDU2 = "318.1.1.12.3.3.1.1.4", "318.1.1.26.9.2"
_CYBERPOWER, _EATON, _RARITAN = "3808.1.1.3.3.3.1.1.4", "534.6.6.7.6.6.1", "13742.6.4.1.2.1"

PROFILES: Mapping[str, Profile] = {
    "apc_rpdu": Profile(
        label="APC Rack PDU (rPDU)",
        state=_RPDU, states=_SIMPLE, on=(_RPDU, 1), off=(_RPDU, 2),
    ),
    "apc_rpdu2": Profile(
        label="APC Rack PDU 2G (rPDU2)",
        state=f"{_RPDU2}.3.1.5", states={1: Power.OFF, 2: Power.ON},
        on=(f"{_RPDU2}.4.1.5", 1), off=(f"{_RPDU2}.4.1.5", 2),
    ),
    "cyberpower": Profile(
        label="CyberPower",
        state=_CYBERPOWER, states=_SIMPLE, on=(_CYBERPOWER, 1), off=(_CYBERPOWER, 2),
    ),
    "eaton": Profile(
        label="Eaton ePDU",
        # The first number is that of the PDU in its chain.
        state=f"{_EATON}.2.0", states={0: Power.OFF, 1: Power.ON},
        on=(f"{_EATON}.4.0", 0), off=(f"{_EATON}.3.0", 0),
    ),
    "raritan": Profile(
        label="Raritan PX2, PX3",
        state=f"{_RARITAN}.3.1", states={7: Power.ON, 8: Power.OFF},
        on=(f"{_RARITAN}.2.1", 1), off=(f"{_RARITAN}.2.1", 0),
    ),
}  # fmt: skip
"""By the name that is written down."""


def oid(below: str, outlet: int) -> str:
    return f"{ENTERPRISES}.{below}.{outlet}"
