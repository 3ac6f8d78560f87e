"""From the kernel that was booted to the plan of an installation."""

from dataclasses import replace

from lab.fleet import Hardware
from lab.installers import debian, kickstart, ubuntu
from lab.installers.plan import InstallError, InstallPlan, device_names, machine_files
from lab.ipxe import BootKernel
from lab.network import NetworkCard, Unreachable


async def load(boot: BootKernel, hardware: Hardware, card: NetworkCard) -> InstallPlan:
    """Fetch the configuration that the kernel's arguments name, and read it.

    Raises InstallError when there is none, when it cannot be fetched, or when an
    installer could not work with it.
    """
    plan = await _plan(boot, hardware, card)
    return replace(plan, devices=machine_files(hardware))


async def _plan(boot: BootKernel, hardware: Hardware, card: NetworkCard) -> InstallPlan:
    arguments = kernel_arguments(boot.arguments)
    if not boot.initrd_urls:
        raise InstallError("Kernel panic - not syncing: VFS: Unable to mount root fs (no initrd)")
    if url := debian.config_url(arguments):
        card.user_agent = "debian-installer"
        text = await _fetch(card, url)
        return debian.plan(text, arguments, device_names(hardware.disks))
    if url := ubuntu.config_url(arguments):
        card.user_agent = "Cloud-Init/24.4"
        if image := arguments.get("url"):
            await _fetch(card, image)
        await _fetch(card, f"{url}meta-data", may_be_empty=True)
        return ubuntu.plan(await _fetch(card, f"{url}user-data"), arguments, hardware.mac)
    if url := kickstart.config_url(arguments):
        card.user_agent = "anaconda"
        return kickstart.plan(await _fetch(card, url), device_names(hardware.disks))
    raise InstallError(
        "The installer waits for a person: the kernel arguments name no configuration "
        "(preseed/url=, ds=nocloud-net;s=, inst.ks=)"
    )


def script_url(boot: BootKernel) -> str | None:
    """Return the script that a live system is to run; None for an installer's kernel."""
    arguments = kernel_arguments(boot.arguments)
    return arguments.get("netscript") if arguments.get("boot") == "live" else None


def kernel_arguments(words: tuple[str, ...]) -> dict[str, str]:
    """Return name → value; a bare word has the value ""."""
    return {
        name: value for name, _, value in (word.partition("=") for word in words) if name.strip("-")
    }


async def _fetch(card: NetworkCard, url: str, *, may_be_empty: bool = False) -> str:
    try:
        answer = await card.request("GET", url)
    except Unreachable as problem:
        raise InstallError(f"Failed to retrieve the configuration: {problem}") from None
    if not answer.ok:
        raise InstallError(f"Failed to retrieve {url}: HTTP {answer.status}")
    if not answer.body.strip() and not may_be_empty:
        raise InstallError(f"Failed to retrieve {url}: it is empty")
    return answer.text
