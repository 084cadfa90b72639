"""What holds for every test."""

from __future__ import annotations

import signal

# A test run in the background of a shell inherits ignored signals, and so would every process that tests start and
# then interrupt; nines itself respects what it inherits, as nohup expects.
for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, usual)
