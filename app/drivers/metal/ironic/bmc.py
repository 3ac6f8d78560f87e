"""A BMC's address in the words of Ironic's drivers.

Source: Ironic, "Redfish driver" and "IPMI driver": the properties of `driver_info`.
"""

from app.drivers.bmc.contract import BmcAddress, BmcProtocol

CHECK, ANY = "check", "any"
"""What `NodeSeed.ca` may be besides a path."""


def driver_of(address: BmcAddress | None) -> str:
    """Return the hardware type for a BMC; those of vendors (`idrac`) are named by hand."""
    if address is not None and address.protocol is BmcProtocol.IPMI:
        return "ipmi"
    return "redfish"


def driver_info(address: BmcAddress | None, ca: str) -> dict[str, str]:
    """Return how Ironic reaches the BMC, the password with it; empty where there is no BMC."""
    if address is None:
        return {}
    password = address.password.reveal()
    if address.protocol is BmcProtocol.IPMI:
        return {
            "ipmi_address": address.host,
            "ipmi_port": str(address.ipmi_port),
            "ipmi_username": address.username,
            "ipmi_password": password,
        }
    info = {
        "redfish_address": address.url,
        "redfish_username": address.username,
        "redfish_password": password,
        # The certificates that we trust are not on the conductor: it has a list of its own.
        "redfish_verify_ca": {CHECK: "True", ANY: "False"}.get(ca, ca),
    }
    if address.system_path:
        info["redfish_system_id"] = address.system_path
    return info
