"""What SolusVM 2 measured of a machine: four series of their own times, put together by minute."""

import asyncio
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

from app.drivers.hypervisor.contract import Usage
from app.drivers.hypervisor.solusvm2.api import Api

PERIOD_S = 60
KIB = 1024
SERIES = ("cpu", "memory", "disks", "network")


async def samples(api: Api, uuid: str, cores: int) -> tuple[Usage, ...]:
    """Return means by minute, the oldest first; a minute without a measure of something has 0."""
    series = await asyncio.gather(*(api.get(f"usage/{name}/{uuid}") for name in SERIES))
    minutes: dict[int, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for name, found in zip(SERIES, series, strict=True):
        for item in found.get("items") or ():
            at_s = int(_time(str(item["time"])).timestamp())
            for key, value in _measures(name, item).items():
                minutes[at_s - at_s % PERIOD_S][key].append(value)
    return tuple(_usage(at_s, minutes[at_s], cores) for at_s in sorted(minutes))


def _measures(name: str, item: dict[str, Any]) -> dict[str, float]:
    """Return the measures of one item, in percent, bytes and bytes a second."""
    match name:
        case "cpu":
            return {"cpu": float(item.get("load_average") or 0)}
        case "memory":
            return {"memory": float(item.get("memory") or 0)}
    rates = item.get("derivative") or {}
    kinds = {"disks": ("disk_read", "disk_write"), "network": ("net_in", "net_out")}[name]
    keys = ("read_kb", "write_kb")
    return {kind: float(rates.get(key) or 0) * KIB for kind, key in zip(kinds, keys, strict=True)}


def _usage(at_s: int, found: dict[str, list[float]], cores: int) -> Usage:
    mean = {key: sum(values) / len(values) for key, values in found.items()}
    return Usage(
        at_s=at_s,
        period_s=PERIOD_S,
        cpu=min(1.0, mean.get("cpu", 0.0) / 100 / max(cores, 1)),
        memory_bytes=int(mean.get("memory", 0)),
        disk_read_bytes_s=mean.get("disk_read", 0.0),
        disk_write_bytes_s=mean.get("disk_write", 0.0),
        net_in_bytes_s=mean.get("net_in", 0.0),
        net_out_bytes_s=mean.get("net_out", 0.0),
    )


def _time(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
