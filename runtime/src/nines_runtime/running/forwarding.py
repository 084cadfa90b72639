"""What libraries say through Python's own logging goes to the service's log."""

from __future__ import annotations

import logging

from nines_runtime.running.logs import Log
from nines_runtime.running.redacting import scrubbed

_OF_EVERY_RECORD = frozenset((*vars(logging.makeLogRecord({})), "message", "asctime", "color_message"))


class Forwarder(logging.Handler):
    """Warnings and errors, with the fields that came along; a text that holds values loses them."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        level = "error" if record.levelno >= logging.ERROR else "warning"
        fields = {name: value for name, value in vars(record).items() if name not in _OF_EVERY_RECORD}
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            fields |= self._log.error_fields(error)
        logger = record.name.removeprefix("nines_runtime.").replace("uvicorn.error", "server")
        try:
            self._log.line(level, scrubbed(record.getMessage()).strip(), logger, fields)
        except Exception:
            # A line that cannot be made is no reason to fail for whoever logged it.
            self.handleError(record)


def forward(log: Log) -> None:
    """From now on; the handlers that printed elsewhere are gone."""
    root = logging.getLogger()
    for handler in root.handlers[:]:
        root.removeHandler(handler)
    root.addHandler(Forwarder(log))
