"""Running an installation: its steps take hardware time, its hooks do the talking."""

import asyncio
from collections.abc import Callable
from typing import Any

import asyncssh

from lab.faults import Fault, FaultKind
from lab.installers.plan import Hook, InstallError, InstallPlan
from lab.installers.target import find_addresses, read_sshd
from lab.pace import Pace
from lab.shell import Requests, Shell
from lab.shell_programs import PROGRAMS
from lab.store import Account, InstalledSystem

SYSLOG = "/var/log/syslog"
WATCHERS_S = 60.0

SYSTEMS = {
    "debian-12": "Debian GNU/Linux 12 (bookworm)",
    "debian-13": "Debian GNU/Linux 13 (trixie)",
    "ubuntu-24.04": "Ubuntu 24.04 LTS",
    "almalinux-9": "AlmaLinux 9",
    "grml": "Grml 2025.05",
}
"""What the lab's mirror carries, by the name in its URLs."""


async def run(
    plan: InstallPlan,
    *,
    pace: Pace,
    requests: Requests,
    show: Callable[[str], None],
    fault: Callable[[], Fault | None],
    erase: Callable[[], None],
) -> dict[str, str]:
    """Go through the steps and return the files of the new system, by absolute path.

    `erase` is called when the disks are partitioned. Raises InstallError after the
    configuration's own error commands have run. With the fault `never-calls-back`
    it never returns.
    """
    shell = Shell(requests, show, PROGRAMS, sleep=pace.sleep)
    shell.files.update(plan.devices)
    shell.files[f"{plan.target}/etc/hostname"] = plan.hostname + "\n"
    try:
        for number, step in enumerate(plan.steps, start=1):
            show(f"installer: [{number}/{len(plan.steps)}] {step.title}")
            match fault():
                case Fault(kind=FaultKind.INSTALL_FAILS, number=n) if number == int(n):
                    raise InstallError(f"{step.title}: failed (input/output error)")  # noqa: TRY301 - the one way out
                case Fault(kind=FaultKind.NEVER_CALLS_BACK) if step.reports:
                    await asyncio.Event().wait()
                case _:
                    pass
            if step.erases:
                erase()
            if step.logs:
                _log(shell, step.logs)
            for path in sorted(each for each in shell.files if _is_in(each, step.before)):
                await _run_hook(Hook(f"sh {path}", fatal=False), shell)
            await pace.sleep(step.hardware_s)
            for hook in step.hooks:
                await _run_hook(hook, shell)
    except InstallError as problem:
        show(f"installer: ERROR: {problem}")
        await _tell_of_failure(plan, shell, pace)
        raise
    finally:
        for job in shell.jobs.background:
            job.cancel()
    prefix = plan.target.rstrip("/")
    return {
        path.removeprefix(prefix): content
        for path, content in shell.files.items()
        if path.startswith(f"{prefix}/")
    }


async def _tell_of_failure(plan: InstallPlan, shell: Shell, pace: Pace) -> None:
    """Run the error commands, and let watchers in the background see the failure and tell."""
    failure = "main-menu[1]: (process:1): an installer step failed with error code 1"
    _log(shell, failure)
    for hook in plan.on_error:
        await _run_hook(hook, shell, failing=True)
    if shell.jobs.background:
        limit: asyncio.Future[Any] = asyncio.ensure_future(pace.sleep(WATCHERS_S))
        watchers: asyncio.Future[Any] = asyncio.gather(*shell.jobs.background)
        await asyncio.wait({limit, watchers}, return_when=asyncio.FIRST_COMPLETED)
        limit.cancel()
        watchers.cancel()


def _log(shell: Shell, line: str) -> None:
    shell.files[SYSLOG] = shell.files.get(SYSLOG, "") + line + "\n"


def _is_in(path: str, folder: str) -> bool:
    return bool(folder) and path.startswith(f"{folder}/")


async def _run_hook(hook: Hook, shell: Shell, *, failing: bool = False) -> None:
    inner = shell.child(root=hook.root)
    inner.missing = hook.missing
    status = await inner.run(hook.script)
    if status and hook.fatal and not failing:
        first = hook.script.strip().splitlines()[0][:100]
        raise InstallError(f"A command of the configuration failed with status {status}: {first}")


def finished_system(
    plan: InstallPlan, files: dict[str, str], kernel_url: str, host_key_pem: str
) -> InstalledSystem:
    """Return what is on the disk now; raise InstallError when nobody could log in."""
    accounts = {
        name: Account(account.password_hash, list(account.authorized_keys))
        for name, account in plan.accounts.items()
    }
    for path, content in files.items():
        if path.endswith("/.ssh/authorized_keys"):
            home = path.removesuffix("/.ssh/authorized_keys")
            account = accounts.setdefault(home.rsplit("/", 1)[-1] or "root", Account())
            account.authorized_keys += [
                line for line in content.splitlines() if line.strip() and line[0] != "#"
            ]
    for line in files.get("/etc/shadow", "").splitlines():
        name, _, digest = line.partition(":")
        accounts.setdefault(name, Account()).password_hash = digest.split(":")[0]
    for account in accounts.values():
        if account.password_hash and not account.password_hash.startswith("$"):
            account.password_hash = None
    addresses = find_addresses(files)
    sshd = read_sshd(files, root_passwords=plan.allows_root_password)
    if not any(each.password_hash or each.authorized_keys for each in accounts.values()):
        raise InstallError("The installed system has no account that could log in")
    os_id = next((each for each in SYSTEMS if f"/{each}/" in kernel_url), plan.family)
    return InstalledSystem(
        os_id=os_id,
        pretty_name=SYSTEMS.get(os_id, plan.family.capitalize()),
        hostname=files.get("/etc/hostname", plan.hostname).strip() or plan.hostname,
        ipv4=str((addresses.ipv4 or plan.ipv4).ip),
        prefix_length=(addresses.ipv4 or plan.ipv4).network.prefixlen,
        gateway=addresses.gateway or plan.gateway,
        ipv6=addresses.ipv6 or plan.ipv6,
        extra_ipv4=addresses.extra_ipv4 or [str(each.ip) for each in plan.extra_ipv4],
        ssh_port=sshd.port,
        password_logins=sshd.passwords,
        root_password_logins=sshd.root_passwords,
        accounts=accounts,
        host_key_pem=host_key_pem,
        files=files,
    )


def new_host_key() -> str:
    """Return a fresh ed25519 host key in OpenSSH's PEM form."""
    return asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
