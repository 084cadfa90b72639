"""Puts the parts of the interpreter together; nothing below knows this module."""

from __future__ import annotations

from nines.effects.interpret import active_records, framework_parts, injecting, mechanisms, named_statements
from nines.effects.interpret.attributes import attribute_value
from nines.effects.interpret.building import build
from nines.effects.interpret.calls import call_value
from nines.effects.interpret.expressions import EVALUATORS
from nines.effects.interpret.fetching import fetch, run
from nines.effects.interpret.higher import invoked
from nines.effects.interpret.interpreter import Interpreter
from nines.effects.interpret.mechanisms import mechanism
from nines.effects.interpret.registering import decorator_stage, mount_stage, route_stage
from nines.effects.interpret.remote import emit
from nines.effects.interpret.sessions import session, transaction
from nines.effects.interpret.statements import EXECUTORS

INTERPRETER = Interpreter(
    evaluators=EVALUATORS,
    executors=EXECUTORS,
    call=call_value,
    attribute=attribute_value,
    stages=(
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
    ),
    mechanisms={
        **active_records.MECHANISMS,
        **framework_parts.MECHANISMS,
        **injecting.MECHANISMS,
        **mechanisms.MECHANISMS,
        **named_statements.MECHANISMS,
    },
)
