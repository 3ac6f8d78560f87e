"""Packages of others as they are installed: the example by uv, those with faults by hand."""

import contextlib
import importlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from app.domain.connections import provider
from app.drivers import registry as drivers
from app.flows import gallery, plug_ins, registry
from tests.flows.test_third_party import uv

ROOT = Path(__file__).parents[2]
NIMBUS = ROOT / "docs/examples/slipway-nimbus"
CACHES = (
    provider.plugged,
    drivers.names,
    drivers.load,
    drivers.package_of_driver,
    gallery._gathered,
    plug_ins.list_faults,
    registry.node_types,
)


def install(package: Path, target: Path, cache: Path) -> None:
    """Install a package into a folder, with no network and nothing else."""
    apart = ["--quiet", "--offline", "--no-deps", "--python", sys.executable]
    subprocess.run(
        [uv(), "pip", "install", *apart, "--target", str(target), str(package)],
        check=True,
        env={**os.environ, "UV_CACHE_DIR": str(cache)},
    )


def write(
    folder: Path, package: str, points: Mapping[str, Mapping[str, str]], **modules: str
) -> None:
    """Write a package as installed: its entry points by group, and its modules by name."""
    about = folder / f"{package.replace('-', '_')}-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    lines = [
        line
        for group, names in points.items()
        for line in (f"[{group}]", *(f"{name} = {value}" for name, value in names.items()))
    ]
    (about / "entry_points.txt").write_text("\n".join(lines))
    for name, text in modules.items():
        path = folder / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@contextlib.contextmanager
def on_path(*folders: Path) -> Iterator[None]:
    """Have this process find what is installed in the folders, and then forget it."""
    sys.path += [str(folder) for folder in folders]
    known = set(sys.modules)
    _forget()
    try:
        yield
    finally:
        for folder in folders:
            sys.path.remove(str(folder))
        for name in set(sys.modules) - known:
            file = str(getattr(sys.modules[name], "__file__", None) or "")
            if any(file.startswith(str(folder)) for folder in folders):
                del sys.modules[name]
        _forget()


def _forget() -> None:
    importlib.invalidate_caches()
    for cache in CACHES:
        cache.cache_clear()


FORM = """
from app.domain.connections.field import Field, Look, secret
from app.domain.connections.provider import Provider
ADDRESS = Field(name="base_url", label="Address")
"""
NODE = """
import msgspec
from app.flows.node import Done, Effect, NodeType
class Params(msgspec.Struct, frozen=True): pass
def do(step, params): return Done(None)
def of(name): return NodeType(
    name=name, title="T", summary="S.", params=Params, effect=Effect.PURE, do=do)
"""


def write_faulty(folder: Path) -> None:
    """Write packages with every fault that there is; none may end a process."""
    write(
        folder,
        "slipway-crash",
        {
            "slipway.flow_nodes": {"crash.gone": "crash_node:node"},
            "slipway.drivers.hypervisor": {"crash": "crash_driver:Driver"},
            "slipway.providers.hypervisor": {"crash": "crash_form:provider"},
            "slipway.flow_templates": {"crash": "crash_flows"},
        },
        crash_node="import no_such_module_of_crash",
        crash_driver="raise SystemExit(3)",
        crash_form=FORM + "provider = Provider(label='Crash', fields=(ADDRESS,))",
        crash_flows____init__="",
    )
    (folder / "crash_flows/bad.json").write_text('{"schema": 1}')
    write(
        folder,
        "slipway-clash",
        {
            "slipway.flow_nodes": {"one": "clash:ours", "two": "clash:same", "odd": "clash:do"},
            "slipway.drivers.hypervisor": {"proxmox": "clash:Params", "formless": "clash:Params"},
            "slipway.providers.hypervisor": {
                "proxmox": "clash_form:provider",
                "driverless": "clash_form:provider",
            },
            "slipway.flow_templates": {"clash": "clash_flows"},
        },
        clash=NODE + "ours, same = of('action.vm_power'), of('twin.node')",
        clash_form=FORM + "provider = Provider(label='Clash', fields=(ADDRESS,))",
        clash_flows____init__="",
    )
    shipped = ROOT / "app/flows/templates/vps-proxmox.json"
    (folder / "clash_flows/vps.json").write_text(shipped.read_text())
    write(
        folder,
        "slipway-twin",
        {"slipway.flow_nodes": {"twin": "twin:node"}},
        twin=NODE + "node = of('twin.node')",
    )
    write(
        folder,
        "slipway-odd",
        {
            "slipway.drivers.hypervisor": {"odd": "odd:Odd"},
            "slipway.providers.hypervisor": {"odd": "odd_form:provider"},
        },
        odd=(
            "class Odd:\n"
            "    takes_keys, names_addresses = True, True\n"
            "    def __init__(self, http, peer, turns): self.secret = peer.secret\n"
            "    async def check(self): return {}[self.secret.reveal()]\n"
        ),
        odd_form=FORM + "provider = Provider(label='Odd', flows={'order.paid': 'vps-nowhere'}, "
        "fields=(ADDRESS, secret('secret', 'Token')))",
    )
