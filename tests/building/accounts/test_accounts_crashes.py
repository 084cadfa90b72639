"""What was acknowledged is there, whatever became of the process that said so."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from tests.building.accounts.serving import Login, Process

pytestmark = pytest.mark.lab


def test_what_was_acknowledged_survives_the_process(login: Login) -> None:
    """Killed three times while people register: whoever was answered has an account, and a letter that is sent."""
    for _ in range(3):
        mark = uuid4().hex[:8]
        with login.process() as process:

            def one(number: int, mark: str = mark, process: Process = process) -> str:
                name = f"{mark}-{number}@example.com"
                try:
                    return name if process.register(name).status == 202 else ""
                except OSError:
                    return ""

            with ThreadPoolExecutor(4) as pool:
                asked = [pool.submit(one, number) for number in range(24)]
                asked[6].result()
                process.kill()
                told = [name for each in asked if (name := each.result())]
        assert told
        rows = login.rows("SELECT email FROM accounts WHERE email = ANY($1)", told)
        assert {row["email"] for row in rows} == set(told)
        # What the dead process had claimed is due again after a minute, which need not be waited for here.
        login.rows("UPDATE send_mail_tasks SET next_attempt_at = now() WHERE NOT is_dead RETURNING id")
        with login.process():
            for name in told:
                login.mailbox.code(name)
