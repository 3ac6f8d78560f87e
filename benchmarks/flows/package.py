"""The benchmark's node type as an installed package, for the processes that are to know it."""

import sys
from pathlib import Path

from app.flows.registry import GROUP, node_types

ROOT = Path(__file__).parent.parent.parent
POINT = "bench.memory = benchmarks.flows.nodes:MEMORY"


def install(folder: Path) -> dict[str, str]:
    """Write the package's metadata into `folder`; return the environment of whoever uses it.

    This process uses it from now on too. Nothing in the environment of the project is touched.
    """
    meta = folder / "slipway_bench-1.dist-info"
    meta.mkdir(parents=True, exist_ok=True)
    (meta / "METADATA").write_text("Metadata-Version: 2.1\nName: slipway-bench\nVersion: 1\n")
    (meta / "entry_points.txt").write_text(f"[{GROUP}]\n{POINT}\n")
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
        node_types.cache_clear()
    return {"PYTHONPATH": f"{ROOT}:{folder}"}
