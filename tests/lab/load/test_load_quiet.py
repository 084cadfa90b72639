from __future__ import annotations

import gc

from nines.lab.load.quiet import rest, unrest


def test_the_collector_rests_until_the_last_load_has_ended() -> None:
    before = gc.get_threshold()
    rest()
    rest()
    assert gc.get_freeze_count() > 0
    assert gc.get_threshold() != before
    unrest()
    assert gc.get_threshold() != before
    unrest()
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
