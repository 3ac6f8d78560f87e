"""UEFI's HTTP boot: what the firmware fetches before anything else runs."""

from lab.ipxe import BootError
from lab.network import Answer, NetworkCard, Unreachable

AUTOEXEC = "autoexec.ipxe"
"""What an iPXE that came by HTTP looks for beside the file that it came as."""
MAGIC = b"MZ"
"""How a UEFI application begins (PE/COFF)."""
MEDIA_TYPE = "application/efi"


async def fetch_boot_file(card: NetworkCard, url: str) -> int:
    """Return the size of the UEFI application behind `url`, in bytes; raise BootError for none.

    Asks for the head first, as EDK2 does: it has to know the size before it fetches the file.
    """
    head = await _asked(card, "HEAD", url)
    answer = await _asked(card, "GET", url)
    if head.size_bytes != len(answer.body):
        raise BootError(f"HTTP boot: {url}: not of the size that was told")
    if answer.media_type != MEDIA_TYPE or not answer.body.startswith(MAGIC):
        raise BootError(f"HTTP boot: {url}: no UEFI application")
    return len(answer.body)


async def _asked(card: NetworkCard, method: str, url: str) -> Answer:
    card.user_agent = "UefiHttpBoot/1.0"
    try:
        answer = await card.request(method, url)
    except Unreachable as problem:
        raise BootError(f"HTTP boot: {problem}") from None
    if not answer.ok:
        raise BootError(f"HTTP boot: {url}: HTTP {answer.status}")
    return answer
