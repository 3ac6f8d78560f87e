"""The files a browser asks for, by hashed name.

Third-party files are put into `app/static/vendor/` by `slipway assets`, with a
manifest of their hashed names. Our own lie beside it: `css/*.css` and `js/*.js` are
joined in the order of their names into `slipway.css` and `slipway.js`; the modules in
`js/designer/` become `designer.js`, which only the flow editor loads, and `overlay.js` for
runs. All of them
(about 1 MB) are read once per process and kept in memory with a gzip copy, so that
serving one costs a dictionary look-up.
"""

import gzip
import hashlib
import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from app.core.errors import Refusal

STATIC = Path(__file__).resolve().parent.parent / "static"
VENDOR = STATIC / "vendor"
MANIFEST = VENDOR / "manifest.json"
PREFIX = "/assets/"
SINGLE = ("mark.svg", "pay.js", "console.js", "serial.js", "bench.css")
"""Our own files that are not joined: not every page needs them."""

MEDIA_TYPES = {  # Litestar adds `charset=utf-8` to text
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".woff2": "font/woff2",
}


class AssetsMissing(Refusal):
    code = "assets.missing"

    def __init__(self, name: str) -> None:
        super().__init__(f"The front-end file {name} is not there. Run `slipway assets` once.")
        self.name = name


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is sent; `packed` is its gzip copy where that is smaller."""

    name: str
    hashed: str
    body: bytes
    packed: bytes | None
    media_type: str


def hashed_name(name: str, body: bytes) -> str:
    """Return `stem.<10 hex digits of SHA-256>.ext`."""
    stem, _, suffix = name.rpartition(".")
    return f"{stem}.{hashlib.sha256(body).hexdigest()[:10]}.{suffix}"


def asset_url(name: str) -> str:
    """Return the address of an asset, such as `/assets/slipway.0f3a….css`; safe to cache for ever.

    Raises `AssetsMissing` when the name is unknown or `slipway assets` has not run.
    """
    found = _catalogue().get(name)
    if found is None:
        raise AssetsMissing(name)
    return PREFIX + found.hashed


def find_asset(name: str) -> Asset | None:
    """Return the asset of that plain name (`slipway.css`), or None."""
    return _catalogue().get(name)


@cache
def _catalogue() -> dict[str, Asset]:
    own = {name: (STATIC / name).read_bytes() for name in SINGLE}
    for kind in ("css", "js"):
        parts = sorted((STATIC / kind).glob(f"*.{kind}"))
        own[f"slipway.{kind}"] = b"\n".join(path.read_bytes() for path in parts)
    own["designer.js"] = join_modules(STATIC / "js/designer")
    own["overlay.js"] = join_modules(STATIC / "js/designer", "overlay")
    assets = {name: _asset(name, hashed_name(name, body), body) for name, body in own.items()}
    if not MANIFEST.is_file():
        raise AssetsMissing("vendor/manifest.json")
    names: dict[str, str] = json.loads(MANIFEST.read_text())["files"]
    for name, hashed in names.items():
        path = VENDOR / hashed
        if not path.is_file():
            raise AssetsMissing(f"vendor/{hashed}")
        assets[name] = _asset(name, hashed, path.read_bytes())
    return assets


_IMPORT = re.compile(r'^import .* from "\./([a-z]+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export ", re.MULTILINE)


def join_modules(folder: Path, entry: str = "main") -> bytes:
    """Return the ES modules of a folder as one, each after those that it imports.

    One request instead of fifteen, and no bundler: modules import by lines of their own, under
    the names that are exported, and no name at the top of one is used at the top of another
    (the browser refuses the file otherwise).
    """
    order: list[str] = []
    parts: dict[str, str] = {}

    def visit(name: str) -> None:
        if name in parts:
            return
        source = (folder / f"{name}.js").read_text()
        parts[name] = _EXPORT.sub("", _IMPORT.sub("", source))
        for wanted in _IMPORT.findall(source):
            visit(wanted)
        order.append(name)

    visit(entry)
    return "\n".join(parts[name] for name in order).encode()


def _asset(name: str, hashed: str, body: bytes) -> Asset:
    packed = None if name.endswith(".woff2") else gzip.compress(body, 9, mtime=0)
    smaller = packed if packed is not None and len(packed) < len(body) else None
    return Asset(name, hashed, body, smaller, MEDIA_TYPES[Path(name).suffix])
