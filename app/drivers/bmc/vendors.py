"""What BMCs of one vendor want otherwise, as data.

`generic` is what the specifications say, and tries everything in turn; a vendor's profile only
spares its BMCs what they are known to reject, and gives them the time they are known to need.
"""

from enum import StrEnum

import msgspec


class Vendor(StrEnum):
    DELL = "dell"
    HPE = "hpe"
    SUPERMICRO = "supermicro"
    LENOVO = "lenovo"
    GENERIC = "generic"


class ModeSent(StrEnum):
    """Whether a change of the boot device carries the boot mode."""

    NEVER = "never"
    """Even where a mode was asked for: the BMC rejects it, and keeps the one it has."""
    ALWAYS = "always"
    """Also where none was asked for: the BMC wants the present one sent again."""
    EITHER = "either"
    """Without it first, then with it."""


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """One vendor's ways."""

    vendor: Vendor
    names: tuple[str, ...] = ()
    """Beginnings of what Redfish calls the manufacturer, lower case."""
    iana_numbers: tuple[int, ...] = ()
    """What IPMI calls the manufacturer (Get Device ID)."""
    boot_mode_sent: ModeSent = ModeSent.EITHER
    power_rejections: int = 6
    """How often a 400 or 409 to a power order is borne, while the state is another."""
    power_rejection_pause_s: float = 2.0
    keeps_boot_flags: bool = True
    """False: IPMI's boot flags (valid, mode, once) always read back as 0; the device is kept."""
    keeps_sol_sequence: bool = False
    """True: a new serial console counts on where the last one ended, and takes a first packet
    that has the number of the last for that one sent again."""


GENERIC = Profile(vendor=Vendor.GENERIC)

PROFILES = (
    Profile(
        vendor=Vendor.DELL,
        names=("dell",),
        iana_numbers=(674,),
        # iDRAC10 answers 409 to power-on for up to a minute after power-off.
        power_rejection_pause_s=10.0,
    ),
    Profile(
        vendor=Vendor.HPE,
        names=("hp", "hewlett"),
        iana_numbers=(11, 47196),
        # iLO answers 400 to a PATCH that has BootSourceOverrideMode in it.
        boot_mode_sent=ModeSent.NEVER,
    ),
    Profile(
        vendor=Vendor.SUPERMICRO,
        names=("supermicro", "super micro"),
        iana_numbers=(10876, 47488),
        # Without the mode some of their BMCs answer 400, others fall back to legacy.
        boot_mode_sent=ModeSent.ALWAYS,
    ),
    Profile(vendor=Vendor.LENOVO, names=("lenovo", "ibm"), iana_numbers=(19046, 2)),
    # OpenIPMI's simulator, which virtual machines have for a BMC, under the number that its
    # example configuration gives it.
    Profile(
        vendor=Vendor.GENERIC, iana_numbers=(4753,), keeps_boot_flags=False, keeps_sol_sequence=True
    ),
)


def profile_of(manufacturer: str | None) -> Profile:
    """Return the profile for what Redfish calls the manufacturer."""
    name = (manufacturer or "").lower()
    found = (profile for profile in PROFILES if profile.names and name.startswith(profile.names))
    return next(found, GENERIC)


def profile_of_number(iana_number: int) -> Profile:
    """Return the profile for an IANA enterprise number."""
    found = (profile for profile in PROFILES if iana_number in profile.iana_numbers)
    return next(found, GENERIC)
