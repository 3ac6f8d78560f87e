"""The address of a machine's screen that lets in whoever opens it, where a vendor makes such."""

from typing import Any
from urllib.parse import urlencode, urlsplit

from sushy import exceptions as sushy_errors

from app.drivers.bmc.redfish.access import manager_of, profile_of_both
from app.drivers.bmc.redfish.session import fetch, read_page
from app.drivers.bmc.redfish.words import ABSENT_STATUSES
from app.drivers.bmc.vendors import ScreenWay
from app.drivers.errors import Refused, Retriable
from app.drivers.secret import Secret


def screen_of(url: str, username: str, system: Any) -> Secret:
    """Ask the BMC at `url` for an address of the screen; good for one opening, within moments.

    Raises `Refused` with the field `screen` where its vendor has none.
    """
    manager = manager_of(system)
    if manager is None:
        raise Refused(url, field="screen", reason="it tells of no manager")
    fetch(manager)
    try:
        match profile_of_both(system, manager).screen_way:
            case ScreenWay.DELL_SESSION:
                return Secret(_of_dell(url, username, manager))
            case ScreenWay.SUPERMICRO_ADDRESS:
                return Secret(_of_supermicro(url, manager))
            case ScreenWay.PAGE:
                reason = "its vendor has no address of it for one opening; sign in at its own page"
                raise Refused(url, field="screen", reason=reason)
    except (sushy_errors.MissingAttributeError, sushy_errors.OEMExtensionNotFoundError) as error:
        raise Refused(url, field="screen", reason=f"this firmware has none: {error}") from error
    except sushy_errors.HTTPError as error:
        if error.status_code in ABSENT_STATUSES:
            raise Refused(url, field="screen", reason="this firmware has none") from error
        raise


def _of_dell(url: str, username: str, manager: Any) -> str:
    """Source: Dell, iDRAC9 Redfish API, `GetKVMSession`; sushy's `get_kvm_session`."""
    made = manager.get_oem_extension("Dell").idrac_card_service.get_kvm_session() or {}
    name, password = made.get("TempUsername"), made.get("TempPassword")
    if not (name and password):
        raise Retriable(url, "it made no session for the screen")
    asked = urlencode({"username": username, "tempUsername": name, "tempPassword": password})
    return f"{url}/console?{asked}"


def _of_supermicro(url: str, manager: Any) -> str:
    """Source: Supermicro, Redfish User Guide 4.0, iKVM: `URI` is where its HTML5 client is."""
    told = (manager.json.get("Oem") or {}).get("Supermicro") or {}
    path = (told.get("IKVM") or {}).get("@odata.id") or f"{manager.path}/Oem/Supermicro/IKVM"
    answer = read_page(manager, path)
    address = str(answer.get("URI") or "")
    if not address:
        kind = answer.get("Current interface") or "another"
        reason = f"its console is set to {kind}; set it to HTML5 in the BMC"
        raise Refused(url, field="screen", reason=reason)
    # It names a path at the BMC itself; what names another place is not followed.
    parts = urlsplit(address)
    if parts.scheme or parts.netloc or not address.startswith("/"):
        raise Retriable(url, "the address that it gave is not its own")
    return f"{url}{address}"
