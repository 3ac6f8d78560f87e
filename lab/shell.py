"""Runs the shell commands of an install configuration, without a shell.

Files live in a dictionary, HTTP requests are made for real, and a program that is
not known here succeeds without doing anything: an installer has hundreds of them.
"""

import asyncio
import fnmatch
import posixpath
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from lab.network import Answer
from lab.shell_expansion import expand, substitute
from lab.shell_syntax import (
    AndOr,
    Background,
    Command,
    For,
    Function,
    If,
    Node,
    Pipeline,
    Redirect,
    Script,
    While,
    Word,
    parse,
)
from lab.shell_tokens import ShellSyntaxError

MAX_STEPS = 5_000
MAX_DEPTH = 20


class Requests(Protocol):
    """Where curl and wget send their requests; raises lab.network.Unreachable."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        limit_s: float = 30.0,
    ) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Result:
    """What a command leaves: its exit status, output and error output."""

    status: int = 0
    out: str = ""
    err: str = ""


Program = Callable[["Shell", list[str], str], Awaitable[Result]]
"""Called with the shell, the arguments without the name, and standard input."""


class _Exit(Exception):
    """`exit` or `return`, with what was written up to there."""

    def __init__(self, status: int, *, leaves_function: bool = False) -> None:
        super().__init__(status)
        self.status = status
        self.leaves_function = leaves_function


class _LoopControl(Exception):
    """`break` or `continue` of the innermost loop."""

    def __init__(self, *, leaves_loop: bool) -> None:
        super().__init__()
        self.leaves_loop = leaves_loop


def _together(status: int, said: list[Result]) -> Result:
    return Result(status, "".join(one.out for one in said), "".join(one.err for one in said))


async def no_sleep(_seconds: float) -> None:
    """Let others run, and take no time."""
    await asyncio.sleep(0)


@dataclass(slots=True)
class Jobs:
    """Shared by all shells of one run: a limit for loops, and what runs in the background."""

    steps: int = MAX_STEPS
    background: list[asyncio.Task[Result]] = field(default_factory=list)


@dataclass(slots=True)
class Shell:
    """One shell; `root` is the folder that its paths are below ("" or "/target").

    `missing` programs are not found; a `strict` shell finds none but those it knows.
    """

    requests: Requests
    show: Callable[[str], None]
    programs: dict[str, Program]
    files: dict[str, str] = field(default_factory=dict)
    root: str = ""
    missing: frozenset[str] = frozenset()
    variables: dict[str, str] = field(default_factory=dict)
    arguments: list[str] = field(default_factory=list)
    functions: dict[str, Node] = field(default_factory=dict)
    depth: int = 0
    errexit: bool = False
    strict: bool = False
    status: int = 0
    trap: str = ""
    sleep: Callable[[float], Awaitable[None]] = no_sleep
    jobs: Jobs = field(default_factory=Jobs)

    async def run(self, source: str) -> int:
        """Run a script to its end, show what it writes, and return its exit status."""
        result = await self.call(source)
        text = (result.out + result.err).strip()
        if text:
            self.show(text)
        return result.status

    async def call(self, source: str, stdin: str = "") -> Result:
        """Run a script and return its output; a syntax error is status 2, as in sh."""
        if self.depth > MAX_DEPTH:
            return Result(2, "", "sh: nested too deeply\n")
        try:
            return await self._captured(parse(source), stdin)
        except ShellSyntaxError as problem:
            return Result(2, "", f"sh: syntax error: {problem}\n")

    def child(self, *, root: str | None = None, arguments: list[str] | None = None) -> "Shell":
        """Return a sub-shell: same files and requests, variables of its own."""
        return replace(
            self,
            root=self.root if root is None else root,
            # A target system has what the installer lacks.
            missing=self.missing if root is None else frozenset(),
            arguments=self.arguments if arguments is None else arguments,
            variables=dict(self.variables),
            functions=dict(self.functions),
            depth=self.depth + 1,
            errexit=False,
        )

    def path(self, name: str) -> str:
        """Return the key in `files` of a path as this shell sees it; /sys and /proc are of all."""
        if name.startswith(("/sys/", "/proc/")):
            return posixpath.normpath(name)
        return posixpath.normpath(f"{self.root}/{name}".replace("//", "/"))

    async def _captured(self, node: Node, stdin: str) -> Result:
        out: list[Result] = []
        status = 0
        try:
            status = await self._run(node, stdin, out)
        except _Exit as end:
            status = end.status
        except _LoopControl:
            status = 0
        return _together(status, out)

    async def _run(self, node: Node, stdin: str, out: list[Result]) -> int:  # noqa: C901, PLR0911, PLR0912 - one arm a construct
        match node:
            case Script(items):
                status = 0
                for item in items:
                    status = await self._run(item, stdin, out)
                    self.status = status
                    plain = isinstance(item, Command) or (
                        isinstance(item, Pipeline) and not item.negated
                    )
                    if status and self.errexit and plain:
                        if self.trap:
                            handler, self.trap = self.trap, ""
                            out.append(await self.child().call(handler))
                        raise _Exit(status)
                return status
            case AndOr(first, rest):
                status = await self._run(first, stdin, out)
                for operator, pipeline in rest:
                    self.status = status
                    if (status == 0) == (operator == "&&"):
                        status = await self._run(pipeline, stdin, out)
                return status
            case Pipeline():
                return await self._pipeline(node, stdin, out)
            case If(branches, otherwise):
                for condition, body in branches:
                    if await self._condition(condition, stdin, out) == 0:
                        return await self._run(body, stdin, out)
                return await self._run(otherwise, stdin, out) if otherwise else 0
            case For(name, words, body):
                status = 0
                for value in [v for word in words for v in await self.expand(word)]:
                    self.variables[name] = value
                    status, left = await self._loop_body(body, stdin, out)
                    if left:
                        break
                return status
            case While(condition, body, until):
                status = 0
                while (await self._condition(condition, stdin, out) == 0) != until:
                    status, left = await self._loop_body(body, stdin, out)
                    if left:
                        break
                return status
            case Background(command):
                job = self.child()._captured(command, "")  # noqa: SLF001 - another Shell
                self.jobs.background.append(asyncio.create_task(job))
                self.variables["!"] = str(len(self.jobs.background))
                return 0
            case Function(name, body):
                self.functions[name] = body
                return 0
            case Command():
                return await self._command(node, stdin, out)

    async def _loop_body(self, body: Script, stdin: str, out: list[Result]) -> tuple[int, bool]:
        """Run once; the second value tells whether `break` ended the loop."""
        try:
            return await self._run(body, stdin, out), False
        except _LoopControl as control:
            return 0, control.leaves_loop

    async def _condition(self, script: Script, stdin: str, out: list[Result]) -> int:
        errexit, self.errexit = self.errexit, False
        try:
            return await self._run(script, stdin, out)
        finally:
            self.errexit = errexit

    async def _pipeline(self, node: Pipeline, stdin: str, out: list[Result]) -> int:
        if len(node.commands) == 1:
            status = await self._run(node.commands[0], stdin, out)
        else:
            text, status = stdin, 0
            for command in node.commands:
                shell = self.child()
                result = await shell._captured(command, text)  # noqa: SLF001 - another Shell
                out.append(Result(0, "", result.err))
                text, status = result.out, result.status
            out.append(Result(status, text))
        return int(status == 0) if node.negated else status

    async def _command(self, node: Command, stdin: str, out: list[Result]) -> int:
        self.jobs.steps -= 1
        if self.jobs.steps < 0:
            out.append(Result(2, "", f"sh: stopped after {MAX_STEPS} commands\n"))
            raise _Exit(2)
        words = list(node.words)
        while words and (assignment := _assignment(words[0].text)):
            name, value = assignment
            self.variables[name] = " ".join(await self.expand(Word(f'"{value}"' if
                value[:1] not in ("'", '"') else value)))  # fmt: skip
            words.pop(0)
        arguments = [value for word in words for value in await self.expand(word)]
        for redirect in node.redirects:
            if redirect.operator == "<<":
                text = redirect.target.text
                stdin = text if redirect.literal else await substitute(text, self)
            elif redirect.operator == "<":
                stdin = self.files.get(self.path((await self.expand(redirect.target))[0]), "")
        result = await self._execute(arguments, stdin, out) if arguments else Result()
        out.append(await self._redirected(result, node.redirects))
        return result.status

    async def _execute(  # noqa: C901, PLR0911, PLR0912 - the special built-ins, one after the other
        self, arguments: list[str], stdin: str, out: list[Result]
    ) -> Result:
        name, *rest = arguments
        if name in self.functions:
            outer, self.arguments = self.arguments, rest
            self.depth += 1
            said: list[Result] = []
            try:
                if self.depth > MAX_DEPTH:
                    return Result(2, "", f"{name}: nested too deeply\n")
                status = await self._run(self.functions[name], stdin, said)
                return _together(status, said)
            except _Exit as end:
                if not end.leaves_function:
                    out += said
                    raise
                return _together(end.status, said)
            finally:
                self.arguments = outer
                self.depth -= 1
        if name in ("exit", "return"):
            code = int(rest[0]) if rest and rest[0].isdigit() else self.status
            raise _Exit(code, leaves_function=name == "return")
        if name in ("break", "continue"):
            raise _LoopControl(leaves_loop=name == "break")
        if name == "shift":
            del self.arguments[: int(rest[0]) if rest else 1]
            return Result()
        if name == "trap":
            self.trap = rest[0] if len(rest) > 1 and rest[1] == "ERR" else self.trap
            return Result()
        if name == "set":
            for option in rest:
                if option[:1] in "+-" and "e" in option[1:] and not option[1:].startswith("o"):
                    self.errexit = option[0] == "-"
            return Result()
        if name in ("export", "local", "readonly"):
            for word in rest:
                key, equals, value = word.partition("=")
                if equals:
                    self.variables[key] = value
            return Result()
        if name == "wait":
            chosen = [self.jobs.background[int(job) - 1] for job in rest] or self.jobs.background
            return (await asyncio.gather(*chosen))[-1] if chosen else Result()
        base = posixpath.basename(name)
        if base in self.missing:
            return Result(127, "", f"sh: {name}: not found\n")
        if name.startswith("/") and self.path(name) in self.files:
            return await self.child(arguments=rest).call(self.files[self.path(name)], stdin)
        program = self.programs.get(base)
        if program is None:
            unknown = Result(127, "", f"sh: {name}: command not found\n")
            return unknown if self.strict else Result()
        return await program(self, rest, stdin)

    async def _redirected(self, result: Result, redirects: tuple[Redirect, ...]) -> Result:
        out, err = result.out, result.err
        sink: str | None = None
        for redirect in redirects:
            target = (await self.expand(redirect.target) or [""])[0]
            match redirect.operator, redirect.descriptor:
                case ">&", 2 if target == "1" and sink is not None:
                    self._keep(sink, err, is_more=True)
                    err = ""
                case ">&", 2 if target == "1":
                    out, err = out + err, ""
                case ">&", 1 if target == "2":
                    out, err = "", err + out
                case (">" | ">>") as operator, descriptor:
                    self._keep(target, out if descriptor == 1 else err, is_more=operator == ">>")
                    sink = target if descriptor == 1 else sink
                    out, err = ("", err) if descriptor == 1 else (out, "")
                case _:
                    pass
        return Result(result.status, out, err)

    def _keep(self, name: str, text: str, *, is_more: bool) -> None:
        """Write to a file, after what it has when `is_more`; devices keep nothing."""
        if name not in ("/dev/null", "/dev/console", "/dev/tty"):
            path = self.path(name)
            self.files[path] = (self.files.get(path, "") if is_more else "") + text

    async def expand(self, word: Word) -> list[str]:
        """Return the words that a word becomes: quotes off, `$` resolved, fields split."""
        fields = await expand(word.text, self)
        if "*" in word.text and not any(quote in word.text for quote in "'\""):
            matches = sorted(fnmatch.filter(self.files, self.path(fields[-1])))
            return [match.removeprefix(self.root) for match in matches] or fields
        return fields

    async def capture(self, source: str) -> str:
        """Return what `$(source)` stands for."""
        result = await self.child().call(source)
        return result.out.rstrip("\n")

    def variable(self, name: str) -> str:
        if name in ("@", "*"):
            return " ".join(self.arguments)
        if name == "#":
            return str(len(self.arguments))
        if name == "?":
            return str(self.status)
        if name.isdigit():
            index = int(name) - 1
            return self.arguments[index] if 0 <= index < len(self.arguments) else ""
        return self.variables.get(name, "")


def _assignment(text: str) -> tuple[str, str] | None:
    name, equals, value = text.partition("=")
    return (name, value) if equals and name.isidentifier() and name.isascii() else None
