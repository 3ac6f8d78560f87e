"""A script as it is typed, and whether bash can read it."""

import asyncio
import shutil
from collections.abc import Mapping

CHECK_S = 5.0


def script_typed(values: Mapping[str, str]) -> str:
    """Return the script with the line ends that bash reads; "" where nothing was typed."""
    lines = values.get("script", "").replace("\r\n", "\n").rstrip()
    return f"{lines}\n" if lines else ""


async def script_fault(script: str) -> str:
    """Return what bash cannot read of a script, in its own words; "" where it can.

    `bash -n` reads and runs nothing. Where there is no bash, the machine says it.
    """
    bash = shutil.which("bash")
    if bash is None or not script:
        return ""
    reader = await asyncio.create_subprocess_exec(
        bash,
        "-n",
        "-s",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(CHECK_S):
            _, words = await reader.communicate(script.encode())
    except TimeoutError:
        reader.kill()
        await reader.wait()
        return "bash did not get through it in time."
    if not reader.returncode:
        return ""
    said = words.decode(errors="replace").strip().splitlines() or ["it is no bash"]
    return said[0].removeprefix(f"{bash}: ").removeprefix("bash: ")[:300]
