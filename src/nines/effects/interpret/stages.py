"""The order in which a library call's signature is read."""

from __future__ import annotations

from nines.effects.interpret import active_records as active_records  # noqa: PLC0414
from nines.effects.interpret import framework_parts as framework_parts  # noqa: PLC0414
from nines.effects.interpret import named_statements as named_statements  # noqa: PLC0414
from nines.effects.interpret.building import build
from nines.effects.interpret.fetching import fetch, run
from nines.effects.interpret.higher import invoked
from nines.effects.interpret.library import STAGES
from nines.effects.interpret.mechanisms import mechanism
from nines.effects.interpret.registering import decorator_stage, mount_stage, route_stage
from nines.effects.interpret.remote import emit
from nines.effects.interpret.sessions import session, transaction

STAGES[:] = [
    mechanism,
    route_stage,
    mount_stage,
    decorator_stage,
    build,
    run,
    fetch,
    session,
    transaction,
    invoked,
    emit,
]
