"""`slipway doctor`: look at everything Slipway needs, and say what to do about what is missing."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import click
import uvloop
from aiosmtplib import SMTP, SMTPException
from redis.exceptions import RedisError

from app.components.assets import MANIFEST
from app.core.database import Database, DatabaseUnreachable
from app.core.errors import Refusal
from app.core.migrate import missing_migrations
from app.drivers.probe.network import may_probe
from app.flows.plug_ins import list_plug_ins
from app.resources import Servers, open_redis, open_vault, start_servers
from app.settings import Settings, load_settings

TIMEOUT_S = 5.0


class Finding(NamedTuple):
    """One thing looked at; `advice` is what to do when it is not well."""

    name: str
    ok: bool
    fact: str
    advice: str = ""


Look = Callable[[Settings, Servers], Awaitable[Finding]]


@click.command()
def doctor() -> None:
    """Check settings, database, Redis, key, mail, assets, rights and plug-ins.

    Exits 1 when one is wrong.
    """
    try:
        settings = load_settings()
    except Refusal as error:
        raise click.ClickException(error.message) from error
    click.echo(_line(Finding("settings", ok=True, fact="read")))
    try:
        servers = start_servers(settings)
    except Refusal as error:
        raise click.ClickException(error.message) from error
    try:
        findings = uvloop.run(_look(settings, servers))
    finally:
        servers.stop()
    for finding in findings:
        click.echo(_line(finding))
    if not all(finding.ok for finding in findings):
        raise SystemExit(1)


def _line(finding: Finding) -> str:
    mark = click.style("ok  ", fg="green") if finding.ok else click.style("bad ", fg="red")
    advice = f"\n      → {finding.advice}" if finding.advice else ""
    return f"{mark}{finding.name:<10}{finding.fact}{advice}"


async def _look(settings: Settings, servers: Servers) -> list[Finding]:
    looks: tuple[Look, ...] = (
        _database, _redis, _key, _mail, _payment, _netboot, _probes, _assets, _plug_ins,
    )  # fmt: skip
    return [await look(settings, servers) for look in looks]


async def _database(settings: Settings, servers: Servers) -> Finding:
    kind = "DATABASE_URL" if settings.database_url else "embedded"
    database = Database()
    try:
        await database.open(servers.database_url, min_size=1, max_size=2)
    except DatabaseUnreachable as error:
        return Finding("database", False, "unusable", error.message)
    try:
        async with database.snapshot() as tx:
            version = await tx.fetchval("SHOW server_version")
        missing = await missing_migrations(database)
    finally:
        await database.close()
    if missing and settings.database_url:
        advice = "Run `slipway migrate`."
        return Finding("database", False, f"{len(missing)} migration(s) missing", advice)
    empty = "`slipway serve`, `worker` and `migrate` make the tables." if missing else ""
    return Finding("database", True, f"PostgreSQL {version} ({kind})", empty)


async def _redis(settings: Settings, servers: Servers) -> Finding:
    kind = "REDIS_URL" if settings.redis_url else "embedded"
    client = open_redis(servers.redis_url)
    try:
        version = (await client.info("server"))["redis_version"]
    except (RedisError, OSError) as error:
        return Finding("redis", False, str(error), "Check REDIS_URL and that it runs.")
    finally:
        await client.aclose()
    return Finding("redis", True, f"Redis {version} ({kind})")


async def _key(settings: Settings, _: Servers) -> Finding:
    try:
        vault = open_vault(settings)
        vault.open(vault.seal("probe"))
    except Refusal as error:
        return Finding("key", False, "unusable", error.message)
    if settings.keys.get_secret_value():
        return Finding("key", True, "from SLIPWAY_KEYS")
    path = settings.data_dir / "key"
    advice = "Keep a copy elsewhere: without it no sealed secret can be opened again."
    return Finding("key", True, f"from the file {path}", advice)


async def _mail(settings: Settings, _: Servers) -> Finding:
    place = f"{settings.smtp_host}:{settings.smtp_port}"
    client = SMTP(
        hostname=settings.smtp_host,
        port=settings.smtp_port,
        use_tls=settings.smtp_security == "tls",
        start_tls=settings.smtp_security == "starttls",
        timeout=TIMEOUT_S,
    )
    try:
        async with client:
            if settings.smtp_username:
                password = settings.smtp_password.get_secret_value()
                await client.login(settings.smtp_username, password)
            await client.noop()
    except (SMTPException, OSError) as error:
        advice = "Set SLIPWAY_SMTP_HOST, _PORT, _SECURITY and, if needed, _USERNAME and _PASSWORD."
        return Finding("mail", False, f"{place}: {error}", advice)
    return Finding("mail", True, f"{place} answers ({settings.smtp_security})")


async def _payment(settings: Settings, _: Servers) -> Finding:
    ways = []
    if settings.stripe_secret_key.get_secret_value():
        if not settings.stripe_webhook_secret.get_secret_value():
            advice = "Set SLIPWAY_STRIPE_WEBHOOK_SECRET to the secret of /webhooks/stripe."
            return Finding("payment", False, "Stripe without a webhook secret", advice)
        ways.append("card")
    if settings.bank_account_name and settings.bank_iban:
        ways.append("bank transfer")
    if not ways:
        advice = "Set SLIPWAY_STRIPE_… or SLIPWAY_BANK_…; until then only credit pays."
        return Finding("payment", True, "account credit only", advice)
    return Finding("payment", True, ", ".join([*ways, "account credit"]))


async def _netboot(settings: Settings, _: Servers) -> Finding:
    if "127.0.0.1" in settings.base_url or "localhost" in settings.base_url:
        advice = "Set SLIPWAY_BASE_URL to an address that machines and clients can reach."
        return Finding("netboot", True, settings.base_url, advice)
    if settings.ipxe_efi_path and not Path(settings.ipxe_efi_path).is_file():
        advice = "Install Debian's `ipxe` package or correct SLIPWAY_IPXE_EFI_PATH."
        return Finding("netboot", False, f"no file {settings.ipxe_efi_path}", advice)
    if not settings.ipxe_efi_path:
        advice = (
            "UEFI HTTP and virtual-media boot need SLIPWAY_IPXE_EFI_PATH (Debian: package `ipxe`)."
        )
        return Finding("netboot", True, settings.base_url, advice)
    return Finding("netboot", True, settings.base_url)


async def _probes(_: Settings, __: Servers) -> Finding:
    if may_probe():
        return Finding("probes", True, "ARP and ping may be sent")
    advice = "Workers need CAP_NET_RAW where prefixes are checked before they are handed out."
    return Finding("probes", True, "no ARP or ping may be sent from here", advice)


async def _assets(_: Settings, __: Servers) -> Finding:
    if not MANIFEST.exists():
        return Finding("assets", False, "not built", "Run `slipway assets`.")
    return Finding("assets", True, "built")


async def _plug_ins(_: Settings, __: Servers) -> Finding:
    found = list_plug_ins()
    packages = ", ".join(one.package for one in found) or "none"
    if faults := [words for one in found for words in one.faults]:
        return Finding("plug-ins", False, packages, " ".join(faults))
    return Finding("plug-ins", True, packages)
