"""The programs that the lab's shell knows besides curl and wget."""

import base64
import binascii
import posixpath
import re

from lab.shell import Program, Result, Shell
from lab.shell_http import curl, wget
from lab.text_programs import TEXT_PROGRAMS

ESCAPES = {"\\n": "\n", "\\t": "\t", "\\\\": "\\"}
TARGETS = ("/target", "/mnt/sysimage")


async def echo(_shell: Shell, arguments: list[str], _stdin: str) -> Result:
    end = "\n"
    while arguments and arguments[0] in ("-n", "-e", "-ne", "-en"):
        end = "" if "n" in arguments[0] else end
        arguments = arguments[1:]
    return Result(0, " ".join(arguments) + end)


async def printf(_shell: Shell, arguments: list[str], _stdin: str) -> Result:
    if not arguments:
        return Result(1, "", "printf: no format\n")
    template, *values = arguments
    for escape, char in ESCAPES.items():
        template = template.replace(escape, char)
    slots = template.count("%s") + template.count("%d")
    if not slots:
        return Result(0, template.replace("%%", "%"))
    out = ""
    while True:
        text = template
        for _ in range(slots):
            at = min(i for i in (text.find("%s"), text.find("%d")) if i >= 0)
            text = text[:at] + (values.pop(0) if values else "").replace("%", "\0") + text[at + 2 :]
        out += text.replace("%%", "%").replace("\0", "%")
        if not values:
            return Result(0, out)


async def cat(shell: Shell, arguments: list[str], stdin: str) -> Result:
    names = [name for name in arguments if name == "-" or not name.startswith("-")]
    if not names:
        return Result(0, stdin)
    out = ""
    for name in names:
        if name != "-" and shell.path(name) not in shell.files:
            return Result(1, out, f"cat: {name}: No such file or directory\n")
        out += stdin if name == "-" else shell.files[shell.path(name)]
    return Result(0, out)


async def tee(shell: Shell, arguments: list[str], stdin: str) -> Result:
    for name in (each for each in arguments if not each.startswith("-")):
        before = shell.files.get(shell.path(name), "") if "-a" in arguments else ""
        shell.files[shell.path(name)] = before + stdin
    return Result(0, stdin)


async def copy(shell: Shell, arguments: list[str], _stdin: str) -> Result:
    return _copy(shell, arguments, keep=True)


async def move(shell: Shell, arguments: list[str], _stdin: str) -> Result:
    return _copy(shell, arguments, keep=False)


async def remove(shell: Shell, arguments: list[str], _stdin: str) -> Result:
    for name in (each for each in arguments if not each.startswith("-")):
        shell.files.pop(shell.path(name), None)
    return Result()


async def test(shell: Shell, arguments: list[str], _stdin: str) -> Result:
    words = [word for word in arguments if word not in ("]", "]]")]
    negated = words[:1] == ["!"]
    match words[1:] if negated else words:
        case [("-f" | "-e" | "-s" | "-r" | "-x"), name]:
            holds = bool(shell.files.get(shell.path(name)))
        case ["-d", _] | ["-b", _] | ["-c", _]:
            holds = True
        case ["-n", text] | [text]:
            holds = bool(text)
        case ["-z", text]:
            holds = not text
        case [left, ("=" | "==" | "-eq"), right]:
            holds = left == right
        case [left, ("!=" | "-ne"), right]:
            holds = left != right
        case [left, ("-lt" | "-gt") as operator, right] if left.isdigit() and right.isdigit():
            holds = int(left) < int(right) if operator == "-lt" else int(left) > int(right)
        case _:
            holds = False
    return Result(int(holds == negated))


async def sh(shell: Shell, arguments: list[str], stdin: str) -> Result:
    """`sh -c TEXT`, `sh FILE` or a script on standard input; -e and -x are accepted."""
    rest, options = list(arguments), ""
    while rest and rest[0].startswith("-") and rest[0] != "-":
        options += rest.pop(0)[1:]
    if "c" in options:
        if not rest:
            return Result(2, "", "sh: -c needs a script\n")
        return await _script(shell.child(arguments=rest[2:]), rest[0], options, stdin)
    if not rest or rest[0] == "-" or "s" in options:
        return await _script(shell.child(arguments=rest[1:]), stdin, options, "")
    content = shell.files.get(shell.path(rest[0]))
    if content is None:
        return Result(127, "", f"sh: {rest[0]}: not found\n")
    return await _script(shell.child(arguments=rest[1:]), content, options, stdin)


async def in_target(shell: Shell, arguments: list[str], stdin: str) -> Result:
    """d-i's `in-target COMMAND…`: inside of /target."""
    return await _inside(shell, "/target", arguments, stdin)


async def chroot(shell: Shell, arguments: list[str], stdin: str) -> Result:
    if not arguments or arguments[0].rstrip("/") not in TARGETS:
        return Result(125, "", "chroot: cannot change root directory\n")
    return await _inside(shell, arguments[0].rstrip("/"), arguments[1:], stdin)


async def curtin(shell: Shell, arguments: list[str], stdin: str) -> Result:
    """`curtin in-target [--target=/target] [--] COMMAND…`."""
    if arguments[:1] != ["in-target"]:
        return Result()
    rest = arguments[1:]
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if option == "--":
            break
        if option in ("--target", "-t") and rest:
            rest.pop(0)
    return await _inside(shell, "/target", rest, stdin)


async def command_v(shell: Shell, arguments: list[str], _stdin: str) -> Result:
    """`command -v NAME`, `which NAME`: the known programs that are not missing exist."""
    names = [each for each in arguments if not each.startswith("-")]
    found = [each for each in names if each in shell.programs and each not in shell.missing]
    return Result(int(len(found) < len(names)), "".join(f"/usr/bin/{each}\n" for each in found))


async def base64_(_shell: Shell, arguments: list[str], stdin: str) -> Result:
    if "-d" not in arguments and "--decode" not in arguments:
        return Result(0, base64.b64encode(stdin.encode()).decode() + "\n")
    try:
        return Result(0, base64.b64decode(stdin).decode(errors="replace"))
    except binascii.Error:
        return Result(1, "", "base64: invalid input\n")


async def chpasswd(shell: Shell, arguments: list[str], stdin: str) -> Result:
    """`chpasswd -e`: lines of user:hash, kept as the lab's /etc/shadow."""
    if "-e" not in arguments and "--encrypted" not in arguments:
        return Result(1, "", "chpasswd: the lab takes hashes only (-e)\n")
    path = shell.path("/etc/shadow")
    shell.files[path] = shell.files.get(path, "") + stdin.strip() + "\n"
    return Result()


async def usermod(shell: Shell, arguments: list[str], _stdin: str) -> Result:
    """`usermod -p HASH USER`; other changes succeed and do nothing."""
    for option in ("-p", "--password"):
        if option in arguments[:-1]:
            digest = arguments[arguments.index(option) + 1]
            path = shell.path("/etc/shadow")
            shell.files[path] = shell.files.get(path, "") + f"{arguments[-1]}:{digest}\n"
    return Result()


async def env(shell: Shell, arguments: list[str], stdin: str) -> Result:
    """`env A=b COMMAND…`, `nohup`, `exec`, `time`: the command itself."""
    rest = list(arguments)
    while rest and ("=" in rest[0] or rest[0].startswith("-")):
        rest.pop(0)
    return await _inside(shell, shell.root, rest, stdin)


async def timeout(shell: Shell, arguments: list[str], stdin: str) -> Result:
    rest = list(arguments)
    while rest and rest[0].startswith("-"):
        rest.pop(0)
    return await _inside(shell, shell.root, rest[1:], stdin)


async def false(_shell: Shell, _arguments: list[str], _stdin: str) -> Result:
    return Result(1)


async def hostname(shell: Shell, _arguments: list[str], _stdin: str) -> Result:
    return Result(0, shell.files.get(shell.path("/etc/hostname"), "localhost").strip() + "\n")


async def install(shell: Shell, arguments: list[str], _stdin: str) -> Result:
    """`install [-d] [-m MODE] FROM TO`: folders need no making here."""
    if "-d" in arguments:
        return Result()
    names, rest = [], list(arguments)
    while rest:
        word = rest.pop(0)
        if word in ("-m", "-o", "-g") and rest:
            rest.pop(0)
        elif not word.startswith("-"):
            names.append(word)
    return _copy(shell, names, keep=True)


async def sleep(shell: Shell, arguments: list[str], _stdin: str) -> Result:
    try:
        await shell.sleep(float(arguments[0]))
    except (IndexError, ValueError):
        return Result(1, "", "sleep: invalid time interval\n")
    return Result()


async def dirname(_shell: Shell, arguments: list[str], _stdin: str) -> Result:
    return Result(0, (posixpath.dirname(arguments[-1]) if arguments else "") + "\n")


async def basename(_shell: Shell, arguments: list[str], _stdin: str) -> Result:
    return Result(0, (posixpath.basename(arguments[0]) if arguments else "") + "\n")


async def grep(shell: Shell, arguments: list[str], stdin: str) -> Result:
    """`grep [-qciEFv] PATTERN [FILE…]`; files that are not there match nothing."""
    options = "".join(each[1:] for each in arguments if each.startswith("-"))
    pattern, *names = [each for each in arguments if not each.startswith("-")] or [""]
    try:
        wanted = re.compile(
            re.escape(pattern) if "F" in options else pattern,
            re.IGNORECASE if "i" in options else 0,
        )
    except re.error as problem:
        return Result(2, "", f"grep: {problem}\n")
    text = "".join(shell.files.get(shell.path(name), "") for name in names) if names else stdin
    found = [
        line for line in text.splitlines() if bool(wanted.search(line)) is not ("v" in options)
    ]
    out = "" if "q" in options else "".join(f"{line}\n" for line in found)
    if "c" in options:
        out = f"{len(found)}\n"
    return Result(0 if found else 1, out)


async def _script(shell: Shell, source: str, options: str, stdin: str) -> Result:
    shell.errexit = "e" in options
    shell.trap = ""  # a process of its own has none of its parent's
    return await shell.call(source, stdin)


async def _inside(shell: Shell, root: str, arguments: list[str], stdin: str) -> Result:
    if not arguments:
        return Result()
    inner = shell.child() if root == shell.root else shell.child(root=root)
    quoted = " ".join("'" + word.replace("'", "'\\''") + "'" for word in arguments)
    return await inner.call(quoted, stdin)


def _copy(shell: Shell, arguments: list[str], *, keep: bool) -> Result:
    names = [name for name in arguments if not name.startswith("-")]
    if len(names) < 2:
        return Result(1, "", "cp: missing file operand\n")
    *sources, target = names
    recursive = any(option in arguments for option in ("-r", "-a", "-R", "-rf", "-af"))
    for source in sources:
        content = shell.files.get(shell.path(source))
        if content is None and recursive:
            continue
        if content is None:
            return Result(1, "", f"cp: cannot stat '{source}': No such file or directory\n")
        into = target.rstrip("/") + "/" + source.rsplit("/", 1)[-1] if (
            target.endswith("/") or len(sources) > 1
        ) else target  # fmt: skip
        shell.files[shell.path(into)] = content
        if not keep:
            del shell.files[shell.path(source)]
    return Result()


PROGRAMS: dict[str, Program] = {
    "echo": echo, "printf": printf, "cat": cat, "tee": tee, "cp": copy, "mv": move, "rm": remove,
    "test": test, "[": test, "[[": test, "sh": sh, "bash": sh, "dash": sh, "ash": sh, ".": sh,
    "source": sh, "in-target": in_target, "chroot": chroot, "curtin": curtin,
    "command": command_v, "which": command_v, "base64": base64_, "chpasswd": chpasswd,
    "usermod": usermod, "env": env, "nohup": env, "exec": env, "time": env, "timeout": timeout,
    "false": false, "sleep": sleep, "dirname": dirname, "basename": basename,
    "grep": grep,
    "hostname": hostname, "install": install, "curl": curl, "wget": wget, **TEXT_PROGRAMS,
}  # fmt: skip
