"""Lets a request reach the dependency and loses its answer: nobody knows whether it happened, but it did."""

from __future__ import annotations

from nines.lab.record.interference import Interference
from nines.lab.record.wire import Wire
from nines.model.experiment import Fault


class CutReply(Interference):
    """Cuts the connection when the answer to something that changed the dependency arrives.

    That is, in PostgreSQL, a COMMIT of a transaction that wrote, or a writing statement outside of one; in HTTP a
    request that is not safe (RFC 9110, 9.2.1); in Redis a command that writes. Answers to anything else pass, for
    otherwise a service would never get as far as its write; a function that writes when it is selected from passes too.
    `cuts_reads` cuts all of them."""

    def __init__(self, *, cuts_reads: bool = False) -> None:
        super().__init__()
        self._cuts_reads = cuts_reads

    def cuts(self, wire: Wire) -> bool:
        is_cut = wire.answered_write or (self._cuts_reads and wire.answered_read)
        self.acted += is_cut
        return is_cut


def make(fault: Fault) -> Interference:
    del fault
    return CutReply()
