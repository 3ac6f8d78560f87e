"""What BMCs of one vendor want otherwise, as data.

`generic` is what the specifications say, and tries everything in turn; a vendor's profile only
spares its BMCs what they are known to reject, and gives them the time they are known to need.
"""

from collections.abc import Collection
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


class ScreenWay(StrEnum):
    """How the machine's screen is got at without signing in."""

    PAGE = "page"
    """It is not: who opens the BMC's page signs in there."""
    DELL_SESSION = "dell-session"
    """`DelliDRACCardService.GetKVMSession` makes a name and a password for one use."""
    SUPERMICRO_ADDRESS = "supermicro-address"
    """`Oem/Supermicro/IKVM` tells an address that is made anew each time it is read."""


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """One vendor's ways."""

    vendor: Vendor
    names: tuple[str, ...] = ()
    """Beginnings of what Redfish calls the manufacturer, lower case."""
    oem: tuple[str, ...] = ()
    """Under what names the manager has what Redfish does not know: known when the machine is
    sold under another's name."""
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
    serial_command: str = ""
    """What gets to the serial line at the BMC's command line, where it does not say itself."""
    screen_way: ScreenWay = ScreenWay.PAGE
    screen_path: str = "/"
    """The page of the BMC with the machine's screen, in HTML5."""


GENERIC = Profile(vendor=Vendor.GENERIC)

PROFILES = (
    Profile(
        vendor=Vendor.DELL,
        names=("dell",),
        oem=("Dell",),
        iana_numbers=(674,),
        serial_command="console com2",
        screen_way=ScreenWay.DELL_SESSION,
        # iDRAC10 answers 409 to power-on for up to a minute after power-off.
        power_rejection_pause_s=10.0,
    ),
    Profile(
        vendor=Vendor.HPE,
        names=("hp", "hewlett"),
        oem=("Hpe", "Hp"),
        iana_numbers=(11, 47196),
        # iLO answers 400 to a PATCH that has BootSourceOverrideMode in it.
        boot_mode_sent=ModeSent.NEVER,
        serial_command="VSP",
        screen_path="/irc.html",
    ),
    Profile(
        vendor=Vendor.SUPERMICRO,
        names=("supermicro", "super micro"),
        oem=("Supermicro",),
        iana_numbers=(10876, 47488),
        # Without the mode some of their BMCs answer 400, others fall back to legacy.
        boot_mode_sent=ModeSent.ALWAYS,
        screen_way=ScreenWay.SUPERMICRO_ADDRESS,
    ),
    Profile(
        vendor=Vendor.LENOVO,
        names=("lenovo", "ibm"),
        oem=("Lenovo",),
        iana_numbers=(19046, 2),
        serial_command="console 1",
    ),
    # OpenIPMI's simulator, which virtual machines have for a BMC, under the number that its
    # example configuration gives it.
    Profile(
        vendor=Vendor.GENERIC, iana_numbers=(4753,), keeps_boot_flags=False, keeps_sol_sequence=True
    ),
)


def profile_of(manufacturer: str | None, oem: Collection[str] = ()) -> Profile:
    """Return the profile for what Redfish calls the manufacturer, else for the manager's `oem`."""
    name = (manufacturer or "").lower()
    by_name = (each for each in PROFILES if each.names and name.startswith(each.names))
    by_oem = (each for each in PROFILES if not set(oem).isdisjoint(each.oem))
    return next(by_name, None) or next(by_oem, GENERIC)


def profile_of_number(iana_number: int) -> Profile:
    """Return the profile for an IANA enterprise number."""
    found = (profile for profile in PROFILES if iana_number in profile.iana_numbers)
    return next(found, GENERIC)


def profile_of_vendor(vendor: Vendor) -> Profile:
    """Return the profile of a vendor that is known already."""
    return next(profile for profile in (GENERIC, *PROFILES) if profile.vendor is vendor)
