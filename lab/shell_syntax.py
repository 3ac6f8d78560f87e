"""The grammar of the shell scripts that installers run: a useful part of POSIX sh.

Lists (`;`, newline, `&`), `&&`, `||`, `!`, pipes, redirections, here-documents, `if`,
`for`, `while`/`until`, functions, `{ }` and `( )`, quoting, `$name`, `${name:-x}`, `$(…)`.
`case` and arithmetic are refused by name, not misread.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from lab.shell_tokens import ShellSyntaxError, Token, tokens


@dataclass(frozen=True, slots=True)
class Word:
    """A word as written; quotes and `$` are resolved when it is run."""

    text: str


@dataclass(frozen=True, slots=True)
class Redirect:
    """`operator` is >, >>, < or << (then `target` is the document's text)."""

    descriptor: int
    operator: str
    target: Word
    literal: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """A simple command with its redirections; a lone assignment is one too."""

    words: tuple[Word, ...]
    redirects: tuple[Redirect, ...] = ()


@dataclass(frozen=True, slots=True)
class Pipeline:
    commands: tuple["Node", ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class AndOr:
    """`first` and then (operator, pipeline) pairs, left to right."""

    first: "Node"
    rest: tuple[tuple[str, "Node"], ...]


@dataclass(frozen=True, slots=True)
class Script:
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class If:
    branches: tuple[tuple[Script, Script], ...]
    otherwise: Script | None


@dataclass(frozen=True, slots=True)
class For:
    name: str
    words: tuple[Word, ...]
    body: Script


@dataclass(frozen=True, slots=True)
class While:
    condition: Script
    body: Script
    until: bool


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    body: "Node"


@dataclass(frozen=True, slots=True)
class Background:
    """`command &`."""

    command: "Node"


Node = Command | Pipeline | AndOr | Script | If | For | While | Function | Background

RESERVED = frozenset(
    [
        "if",
        "then",
        "elif",
        "else",
        "fi",
        "for",
        "in",
        "do",
        "done",
        "while",
        "until",
        "{",
        "}",
        "!",
        "case",
        "esac",
    ]
)


def parse(source: str) -> Script:
    """Return the script's tree; raise ShellSyntaxError."""
    parser = _Parser(list(tokens(source)))
    script = parser.script(())
    if parser.peek().kind != "end":
        raise parser.error()
    return script


@dataclass(slots=True)
class _Parser:
    tokens: list[Token]
    at: int = 0

    def peek(self, ahead: int = 0) -> Token:
        return self.tokens[min(self.at + ahead, len(self.tokens) - 1)]

    def take(self) -> Token:
        token = self.peek()
        self.at += 1
        return token

    def error(self) -> ShellSyntaxError:
        token = self.peek()
        shown = "the end" if token.kind == "end" else repr(token.text)
        return ShellSyntaxError(f"line {token.line}: unexpected {shown}")

    def expect(self, text: str) -> None:
        self.blank_lines()
        if self.peek().text != text:
            raise self.error()
        self.take()

    def blank_lines(self) -> None:
        while self.peek().kind == "newline":
            self.take()

    def script(self, ends: tuple[str, ...]) -> Script:
        items: list[Node] = []
        while True:
            while self.peek().kind == "newline" or self.peek().text in (";", "&"):
                self.take()
            token = self.peek()
            if token.kind == "end" or token.text in ends:
                return Script(tuple(items))
            item = self.and_or()
            following = self.peek()
            items.append(Background(item) if following.text == "&" else item)
            if following.kind not in ("newline", "end") and following.text not in (";", "&", *ends):
                raise self.error()

    def and_or(self) -> Node:
        first, rest = self.pipeline(), []
        while self.peek().text in ("&&", "||") and self.peek().kind == "op":
            operator = self.take().text
            self.blank_lines()
            rest.append((operator, self.pipeline()))
        return AndOr(first, tuple(rest)) if rest else first

    def pipeline(self) -> Node:
        negated = self.peek().text == "!"
        if negated:
            self.take()
        commands = [self.command()]
        while self.peek().text == "|" and self.peek().kind == "op":
            self.take()
            self.blank_lines()
            commands.append(self.command())
        return Pipeline(tuple(commands), negated) if negated or len(commands) > 1 else commands[0]

    def command(self) -> Node:  # noqa: PLR0911 - one return a construct
        token = self.peek()
        if token.kind == "word" and token.text == "case":
            raise ShellSyntaxError(f"line {token.line}: `case` is not known to the lab's shell")
        match token.text:
            case "if":
                return self.if_()
            case "for":
                return self.for_()
            case "while" | "until":
                self.take()
                condition = self.script(("do",))
                return While(condition, self.body(), until=token.text == "until")
            case "{":
                return self.group("}")
            case "(":
                return self.group(")")
            case _:
                pass
        if token.kind == "word" and self.peek(1).text == "(" and self.peek(2).text == ")":
            self.at += 3
            self.blank_lines()
            return Function(token.text, self.command())
        return self.simple()

    def group(self, end: str) -> Node:
        self.take()
        script = self.script((end,))
        self.expect(end)
        redirects = tuple(self.redirects())
        return Pipeline((script, Command((Word("cat"),), redirects))) if redirects else script

    def body(self) -> Script:
        self.expect("do")
        script = self.script(("done",))
        self.expect("done")
        return script

    def if_(self) -> If:
        self.take()
        branches, otherwise = [], None
        while True:
            condition = self.script(("then",))
            self.expect("then")
            branches.append((condition, self.script(("elif", "else", "fi"))))
            word = self.take().text
            if word == "else":
                otherwise = self.script(("fi",))
                self.expect("fi")
            if word != "elif":
                if word not in ("else", "fi"):
                    raise self.error()
                return If(tuple(branches), otherwise)

    def for_(self) -> For:
        self.take()
        name, words = self.take().text, []
        self.expect("in")
        while self.peek().kind == "word":
            words.append(Word(self.take().text))
        if self.peek().text == ";":
            self.take()
        return For(name, tuple(words), self.body())

    def simple(self) -> Command:
        words: list[Word] = []
        redirects: list[Redirect] = []
        while True:
            redirects.extend(self.redirects())
            if self.peek().kind != "word" or (not words and self.peek().text in RESERVED):
                break
            words.append(Word(self.take().text))
        if not words and not redirects:
            raise self.error()
        return Command(tuple(words), tuple(redirects))

    def redirects(self) -> Iterator[Redirect]:
        while True:
            token = self.peek()
            if token.kind == "here":
                self.take()
                yield Redirect(0, "<<", Word(token.document), token.literal)
            elif token.kind == "op" and token.text in (">", ">>", "<", ">&", "<&"):
                self.take()
                target = self.take()
                if target.kind != "word":
                    raise ShellSyntaxError(f"line {token.line}: a redirection goes nowhere")
                default = 0 if token.text in ("<", "<&") else 1
                descriptor = int(token.digit) if token.digit else default
                yield Redirect(descriptor, token.text, Word(target.text))
            else:
                return
