"""An SMTP server that keeps every message as a file, and can be out of order."""

import asyncio
import email
import email.policy
import time
from email.message import EmailMessage
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec
from aiosmtpd.smtp import SMTP, Envelope, Session

from lab.store import write_atomically

HOST = "127.0.0.1"
MAX_MESSAGE_BYTES = 10_000_000


class MailDown(StrEnum):
    """How the mail server is out of order."""

    OFF = "off"
    "It works."
    ON = "on"
    "Every sender is answered 451."
    REFUSE = "refuse"
    "Connections are refused."


class Letter(msgspec.Struct, frozen=True):
    """The envelope and subject of a kept message; `received_at` in epoch seconds."""

    id: str
    received_at: float
    mail_from: str
    rcpt_tos: list[str]
    subject: str


class OpenLetter(msgspec.Struct, frozen=True):
    """A kept message with its parts; `text` and `html` are empty where it has none."""

    letter: Letter
    headers: dict[str, str]
    text: str
    html: str
    attachments: list[str]


class Mailbox:
    """All mail of the lab, whoever it is for."""

    def __init__(self, folder: Path, port: int) -> None:
        self.port = port
        self._folder = folder
        self._server: asyncio.Server | None = None
        self._down_file = folder / "down"
        kept = self._down_file.read_text() if self._down_file.exists() else MailDown.OFF
        self.down = MailDown(kept)

    async def start(self) -> None:
        """Listen on the port (0: a free one); raise OSError when it is taken."""
        await self._listen()
        if self.down is MailDown.REFUSE:
            await self._close()

    async def stop(self) -> None:
        await self._close()

    async def set_down(self, down: MailDown) -> None:
        """Break or mend the server; kept across restarts."""
        write_atomically(self._down_file, down.value.encode())
        self.down = down
        if down is MailDown.REFUSE:
            await self._close()
        elif self._server is None:
            await self._listen()

    def letters(self, to: str | None = None) -> list[Letter]:
        """Return the messages, newest first; only those for `to` when it is given."""
        found = [self._letter(path) for path in sorted(self._folder.glob("*.eml"), reverse=True)]
        wanted = to.casefold() if to else None
        return [
            letter
            for letter in found
            if wanted is None or wanted in {each.casefold() for each in letter.rcpt_tos}
        ]

    def open(self, letter_id: str) -> OpenLetter | None:
        """Return one message with its parts, or None."""
        path = self._folder / f"{letter_id}.eml"
        if not letter_id.replace("-", "").isalnum() or not path.exists():
            return None
        message = _read(path)
        plain, html = message.get_body(("plain",)), message.get_body(("html",))
        return OpenLetter(
            letter=self._letter(path),
            headers={key: str(value) for key, value in message.items()},
            text=_content(plain),
            html=_content(html),
            attachments=[part.get_filename() or "" for part in message.iter_attachments()],
        )

    def raw(self, letter_id: str) -> bytes | None:
        """Return the message as it was received, or None."""
        path = self._folder / f"{letter_id}.eml"
        if not letter_id.replace("-", "").isalnum() or not path.exists():
            return None
        return path.read_bytes()

    # aiosmtpd calls these by their names.
    async def handle_MAIL(  # noqa: N802
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        if self.down is MailDown.ON:
            return "451 4.3.0 The lab's mail server is out of order"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.down is MailDown.ON:
            return "451 4.3.0 The lab's mail server is out of order"
        letter_id = f"{time.time_ns():020d}"
        content = envelope.original_content or b""
        rcpt_tos = [str(each) for each in envelope.rcpt_tos]
        facts = [str(envelope.mail_from or ""), *rcpt_tos]
        meta = msgspec.json.encode(facts)
        write_atomically(self._folder / f"{letter_id}.json", meta)
        write_atomically(self._folder / f"{letter_id}.eml", content)
        return f"250 OK kept as {letter_id}"

    def _letter(self, path: Path) -> Letter:
        facts = path.with_suffix(".json")
        sender, *recipients = (
            msgspec.json.decode(facts.read_bytes(), type=list[str]) if facts.exists() else [""]
        )
        subject = str(_read(path, headers_only=True).get("Subject", ""))
        return Letter(path.stem, int(path.stem) / 1e9, sender, recipients, subject)

    async def _listen(self) -> None:
        def protocol() -> Any:
            return SMTP(
                self,
                hostname="mail.lab",
                ident="Slipway lab",
                data_size_limit=MAX_MESSAGE_BYTES,
                enable_SMTPUTF8=True,
            )

        self._server = await asyncio.get_running_loop().create_server(
            protocol, HOST, self.port, reuse_address=True
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()


def _read(path: Path, *, headers_only: bool = False) -> EmailMessage:
    content = path.read_bytes()
    if headers_only:
        content = content.replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    return email.message_from_bytes(content, policy=email.policy.default)


def _content(part: Any) -> str:
    if part is None:
        return ""
    return str(part.get_content()).replace("\r\n", "\n")
