"""The laboratory's post: a mail server to which the service gives its letters, and where they are read."""

from __future__ import annotations

import asyncio
import contextlib
import html
import re
from email import message_from_bytes, policy
from email.message import EmailMessage

from nines.lab.launch.listening import Listening
from nines.model.record import Record

LETTERS_MAX = 5_000
"""The oldest are forgotten first."""
LETTER_BYTES_MAX = 1024 * 1024
LINE_BYTES_MAX = 64 * 1024
_ADDRESS = re.compile(r"<([^>]*)>")
_TAG = re.compile(r"<[^>]+>")
_LINKS = re.compile(r"""(?:href|src)\s*=\s*["']?(https?://[^"'\s>]+)""", re.IGNORECASE)


class Letter(Record):
    """One letter that the service sent."""

    to: tuple[str, ...]
    """Addresses in lower case."""
    subject: str = ""
    text: str = ""
    """Everything that can be read in it; addresses behind links stand at its end."""


class Post(Listening):
    """An SMTP server on a loopback port (RFC 5321) that takes everything and delivers nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[Letter] = []
        self._came = asyncio.Event()

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, self.host, 0, limit=LINE_BYTES_MAX)

    def to(self, address: str) -> list[Letter]:
        """The letters to somebody, the newest first."""
        return [letter for letter in reversed(self.kept) if address.lower() in letter.to]

    async def await_letter(self, address: str, known: int, limit_s: float) -> list[Letter]:
        """The letters to somebody as soon as there are more than are known, or when the time is up."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                while len(self.to(address)) <= known:
                    self._came.clear()
                    await self._came.wait()
        return self.to(address)

    async def letters(self, address: str, known: int, limit_s: float) -> list[str]:
        """What stands in them, their subject first."""
        found = await self.await_letter(address, known, limit_s)
        return [f"{letter.subject}\n{letter.text}" for letter in found]

    def take(self, to: tuple[str, ...], content: bytes) -> None:
        """Keeps a letter."""
        if len(self.kept) >= LETTERS_MAX:
            del self.kept[: LETTERS_MAX // 10]
        self.kept.append(_read(to, content))
        self._came.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Who asks may be killed at any moment, which concerns nobody here.
        with contextlib.suppress(OSError, ValueError, asyncio.IncompleteReadError):
            await _Talk(self, reader, writer).hold()
        writer.close()


class _Talk:
    """One connection: commands are answered in turn."""

    def __init__(self, post: Post, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._post = post
        self._reader = reader
        self._writer = writer
        self._to: list[str] = []

    async def hold(self) -> None:
        await self._say("220 nines")
        while line := await self._reader.readline():
            word, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
            if not await self._answer(word.upper(), rest):
                return

    async def _answer(self, word: str, rest: str) -> bool:
        """False after the last answer."""
        match word:
            case "EHLO":
                await self._say("250-nines", f"250-SIZE {LETTER_BYTES_MAX}", "250-8BITMIME", "250-SMTPUTF8",
                                "250-PIPELINING", "250 AUTH PLAIN LOGIN")  # fmt: skip
            case "AUTH":
                await self._let_in(rest)
            case "RCPT":
                found = _ADDRESS.search(rest)
                self._to.append((found[1] if found else rest.partition(":")[2].strip()).lower())
                await self._say("250 OK")
            case "DATA":
                await self._data()
            case "QUIT":
                await self._say("221 bye")
                return False
            case "HELO" | "MAIL" | "RSET" | "NOOP":
                if word in ("MAIL", "RSET"):
                    self._to = []
                await self._say("250 OK")
            case _:
                await self._say("502 not here")
        return True

    async def _let_in(self, rest: str) -> None:
        """Whoever comes may send; what they show is read and forgotten."""
        mechanism, _, first = rest.partition(" ")
        for _ in range(0 if first and mechanism.upper() == "PLAIN" else 1 if first or mechanism != "LOGIN" else 2):
            await self._say("334 ")
            await self._reader.readline()
        await self._say("235 welcome")

    async def _data(self) -> None:
        await self._say("354 go on")
        content = bytearray()
        while (line := await self._reader.readline()) not in (b".\r\n", b".\n", b""):
            if len(content) < LETTER_BYTES_MAX:
                content += line.removeprefix(b".") if line.startswith(b"..") else line
        self._post.take(tuple(self._to), bytes(content))
        await self._say("250 taken")

    async def _say(self, *lines: str) -> None:
        self._writer.write("".join(f"{line}\r\n" for line in lines).encode())
        await self._writer.drain()


def _read(to: tuple[str, ...], content: bytes) -> Letter:
    """What stands in a letter; of what cannot be decoded, the bytes as they came."""
    try:
        message = message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        subject = str(message.get("subject", ""))
        texts = [_text(part) for part in message.walk() if part.get_content_maintype() == "text"]
    except (LookupError, ValueError, AssertionError, AttributeError):
        return Letter(to=to, text=content.decode("utf-8", "replace"))
    return Letter(to=to, subject=subject, text="\n".join(texts))


def _text(part: EmailMessage) -> str:
    text = str(part.get_content()).replace("\r\n", "\n")
    if part.get_content_subtype() != "html":
        return text
    links = [html.unescape(link) for link in _LINKS.findall(text)]
    return "\n".join([html.unescape(_TAG.sub(" ", text)), *links])
