"""One message over one SMTP connection, in a thread that can be broken off from outside."""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
import time

import msgspec

from nines_runtime.calls.outcome import Why

_ROUNDING_S = 0.01
_AUTHENTICATION = frozenset({530, 534, 535, 538})


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """Where to deliver; `tls` of None: in clear, on loopback only."""

    host: str
    port: int
    is_wrapped: bool
    tls: ssl.SSLContext | None
    user: str
    password: str

    def __repr__(self) -> str:
        return f"Server({self.host}:{self.port})"


class Delivery:
    """Tells how it ended in `why` and `refusal`; neither is set where the server took the message."""

    def __init__(self, server: Server, sender: str, to: str, message: bytes, *, limit_s: float) -> None:
        self.limit_s = limit_s
        self.why: Why | None = None
        self.refusal = 0
        """The server's reply code, where it refused."""
        self.reason = ""
        self.was_offered = False
        """Whether the whole message was on its way: the server may have taken it."""
        self._server = server
        self._sender = sender
        self._to = to
        self._message = message
        self._ends_s = time.monotonic() + limit_s
        self._smtp: smtplib.SMTP | None = None
        self._is_aborted = False

    def abort(self) -> None:
        """From another thread: whatever it waits for ends now."""
        self._is_aborted = True
        connection = self._smtp.sock if self._smtp is not None else None
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def carry_out(self) -> None:
        try:
            self._deliver()
        except smtplib.SMTPResponseException as error:
            self._refused(error.smtp_code, error.smtp_error)
        except smtplib.SMTPServerDisconnected:
            self._broken(Why.CONNECTION)
        except smtplib.SMTPException:
            self._broken(Why.NOT_UNDERSTOOD)
        except TimeoutError:
            self._broken(Why.TIMEOUT)
        except (OSError, ValueError):
            self._broken(Why.CONNECTION)
        finally:
            if self._smtp is not None:
                self._smtp.close()

    def _deliver(self) -> None:
        server = self._server
        # Without a host it does not connect: the object must be known before it does.
        limit_s = self._left_s()
        wrapped = smtplib.SMTP_SSL(timeout=limit_s, context=server.tls) if server.is_wrapped else None
        self._smtp = smtp = wrapped or smtplib.SMTP(timeout=limit_s)
        # The name that a certificate is checked against; connect() does not keep it.
        smtp._host = server.host  # type: ignore[attr-defined]
        code, said = smtp.connect(server.host, server.port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, said)
        self._step()
        smtp.ehlo_or_helo_if_needed()
        if server.tls is not None and not server.is_wrapped:
            self._step()
            smtp.starttls(context=server.tls)
            self._step()
            smtp.ehlo()
        if server.user or server.password:
            self._step()
            smtp.login(server.user, server.password)
        self._step()
        if self._is_refused(*smtp.mail(self._sender)):
            return
        self._step()
        if self._is_refused(*smtp.rcpt(self._to)):
            return
        self._step()
        self.was_offered = True
        code, said = smtp.data(self._message)
        if self._is_refused(code, said):
            return
        # It was taken; how the goodbye goes changes nothing.
        with contextlib.suppress(smtplib.SMTPException, OSError):
            self._step()
            smtp.quit()

    def _step(self) -> None:
        """Before each exchange: what is left of the time is all that it may take."""
        if self._is_aborted:
            raise TimeoutError
        if self._smtp is not None and self._smtp.sock is not None:
            self._smtp.sock.settimeout(self._left_s())

    def _left_s(self) -> float:
        left_s = self._ends_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        return left_s

    def _is_refused(self, code: int, said: bytes) -> bool:
        if 200 <= code < 300:
            return False
        self._refused(code, said)
        return True

    def _refused(self, code: int, said: bytes | str) -> None:
        self.was_offered = False
        self.refusal = code
        self.reason = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
        if code in _AUTHENTICATION:
            self.why = Why.CREDENTIAL
        elif not 500 <= code < 600:
            self.why = Why.THROTTLED if 400 <= code < 500 else Why.NOT_UNDERSTOOD

    def _broken(self, why: Why) -> None:
        # The library tells a time that has run out as a connection that was closed.
        is_over = time.monotonic() >= self._ends_s - _ROUNDING_S
        self.why = self.why or (Why.TIMEOUT if is_over else why)
