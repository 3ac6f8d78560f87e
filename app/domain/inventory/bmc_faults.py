"""What of how a BMC is to be reached cannot work, whether it was typed or is in a file. Pure."""

import re

from app.domain.inventory.seed import BmcSeed, boot_fault
from app.drivers.bmc.contract import BmcProtocol

IPMI_USERNAME_BYTES, IPMI_PASSWORD_BYTES = 16, 20
"""IPMI 2.0, sections 22.28 and 22.30."""
_URLS = {
    BmcProtocol.REDFISH: re.compile(r"https?://[^/\s@]+/?"),
    BmcProtocol.IPMI: re.compile(r"ipmi://[^/\s@]+/?"),
}


def faults_of(bmc: BmcSeed) -> dict[str, str]:
    """Return what cannot work, by field."""
    faults: dict[str, str] = {}
    is_ipmi = bmc.protocol is BmcProtocol.IPMI
    if not _URLS[bmc.protocol].fullmatch(bmc.url):
        example = "ipmi://10.0.0.7" if is_ipmi else "https://10.0.0.7"
        faults["url"] = f"Give scheme and host, such as {example}."
    if not bmc.username:
        faults["username"] = "Name the account to sign in with."
    elif is_ipmi and len(bmc.username.encode()) > IPMI_USERNAME_BYTES:
        faults["username"] = f"IPMI knows names of up to {IPMI_USERNAME_BYTES} bytes."
    if is_ipmi and len(bmc.password.encode()) > IPMI_PASSWORD_BYTES:
        faults["password"] = f"IPMI knows passwords of up to {IPMI_PASSWORD_BYTES} bytes."
    if words := boot_fault(bmc.protocol, bmc.boot_method):
        faults["boot_method"] = words
    if not is_ipmi and bmc.tls_mode == "pin" and not _is_sha256(bmc.ca_pem):
        faults["ca_pem"] = "Give the certificate's SHA-256: 64 hexadecimal digits."
    if not is_ipmi and bmc.tls_mode == "ca" and bmc.ca_pem and "BEGIN CERT" not in bmc.ca_pem:
        faults["ca_pem"] = "Paste the CA's certificate, from BEGIN to END CERTIFICATE."
    return faults


def _is_sha256(text: str) -> bool:
    return re.fullmatch(r"[0-9a-fA-F]{64}", text.replace(":", "").strip()) is not None
