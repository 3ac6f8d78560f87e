"""The programs on lines of text that the lab's shell knows, as far as scripts need them."""

import re

from lab.shell import Program, Result, Shell


async def sort(_shell: Shell, arguments: list[str], stdin: str) -> Result:
    """`sort [-u] [-n]`."""
    lines = set(stdin.splitlines()) if "-u" in arguments else stdin.splitlines()
    found = sorted(lines, key=int) if "-n" in arguments else sorted(lines)
    return Result(0, "".join(f"{line}\n" for line in found))


async def head(shell: Shell, arguments: list[str], stdin: str) -> Result:
    """`head [-n N] [FILE]`."""
    number, text = _asked(shell, arguments, stdin)
    return Result(0, "".join(text.splitlines(keepends=True)[:number]))


async def tail(shell: Shell, arguments: list[str], stdin: str) -> Result:
    """`tail [-n N] [FILE]`, or `-c N` for bytes."""
    if arguments[:1] == ["-c"]:
        text = shell.files.get(shell.path(arguments[2]), "") if arguments[2:] else stdin
        return Result(0, text[-int(arguments[1]) :])
    number, text = _asked(shell, arguments, stdin)
    return Result(0, "".join(text.splitlines(keepends=True)[-number:]))


async def sed(_shell: Shell, arguments: list[str], stdin: str) -> Result:
    """`sed -e 's|PATTERN|TEXT|g' …` over standard input; nothing else."""
    lines = stdin.splitlines()
    for expression in (word for word in arguments if not word.startswith("-")):
        parts = expression.split("|")
        if len(parts) != 4 or parts[0] != "s":
            return Result(1, "", f"sed: the lab does not know {expression}\n")
        pattern = re.compile(parts[1])
        count = 0 if parts[3] == "g" else 1
        text = parts[2].replace("\\", "\\\\")
        lines = [pattern.sub(text, line, count=count) for line in lines]
    return Result(0, "".join(f"{line}\n" for line in lines))


def _asked(shell: Shell, arguments: list[str], stdin: str) -> tuple[int, str]:
    number, names = 10, list(arguments)
    if "-n" in names[:-1]:
        at = names.index("-n")
        number = int(names[at + 1])
        del names[at : at + 2]
    return number, shell.files.get(shell.path(names[0]), "") if names else stdin


TEXT_PROGRAMS: dict[str, Program] = {"sort": sort, "head": head, "tail": tail, "sed": sed}
