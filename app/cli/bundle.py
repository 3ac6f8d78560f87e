"""Make one script of a library that comes as CommonJS modules; no bundler is needed for that."""

import json
import re
from pathlib import Path

_REQUIRE = re.compile(r'\brequire\("(\.[^"]+)"\)')
_SCRIPT = """\
(() => {{
"use strict";
const modules = {{
{modules}
}};
const made = new Map();
const load = (name) => {{
  if (!made.has(name)) {{
    const module = {{ exports: {{}} }};
    made.set(name, module);
    modules[name](module, module.exports, load);
  }}
  return made.get(name).exports;
}};
globalThis.{name} = load({entry}).default;
}})();
"""


def bundle(folder: Path, entry: str, name: str) -> bytes:
    """Return a script that sets `globalThis.NAME` to what the module `entry` exports by default.

    Each module that it requires, by a path of its own folder, is in it once, under that path.
    """
    parts: dict[str, str] = {}

    def visit(path: str) -> None:
        if path in parts:
            return
        parts[path] = ""  # before what it requires: two may require each other

        def resolved(found: re.Match[str]) -> str:
            there = (folder / path).parent.joinpath(found[1]).resolve()
            wanted = there.relative_to(folder.resolve()).as_posix()
            visit(wanted)
            return f"require({json.dumps(wanted)})"

        parts[path] = _REQUIRE.sub(resolved, (folder / path).read_text())

    visit(entry)
    modules = ",\n".join(
        f"{json.dumps(path)}: (module, exports, require) => {{\n{source}\n}}"
        for path, source in parts.items()
    )
    return _SCRIPT.format(modules=modules, name=name, entry=json.dumps(entry)).encode()
