"""Jinja2 for boot scripts and answer files: an undefined name is an error, values are quoted."""

import base64
import ipaddress
import shlex
from collections.abc import Callable
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from app.drivers.deploy.spec import InstallSpec


def _b64(text: str) -> str:
    """Return `text` so that no shell, installer or template can read it otherwise."""
    return base64.b64encode(text.encode()).decode()


def _netmask(prefixlen: int) -> str:
    return str(ipaddress.ip_network(f"0.0.0.0/{prefixlen}").netmask)


_FILTERS: dict[str, Callable[..., str]] = {"sh": shlex.quote, "b64": _b64, "netmask": _netmask}

_environment = Environment(
    loader=PackageLoader("app.drivers.deploy.netboot"),
    undefined=StrictUndefined,
    # HTML escaping would break shell and debconf syntax; `checks.py` and the filters guard instead.
    autoescape=False,  # noqa: S701
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_environment.filters.update(_FILTERS)


def render(template: str, spec: InstallSpec, **more: Any) -> str:
    """Return `templates/{template}` filled with `spec` and `more`."""
    return render_plain(template, spec=spec, **more)


def render_plain(template: str, **values: Any) -> str:
    """Return `templates/{template}` filled with `values`."""
    return _environment.get_template(template).render(**values)
