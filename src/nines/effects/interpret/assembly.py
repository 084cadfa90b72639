"""Puts the parts of the interpreter together; nothing below knows this module."""

from __future__ import annotations

from nines.effects.interpret.calling.calls import call_value
from nines.effects.interpret.database import active_records, managers, named_statements, query_sets
from nines.effects.interpret.database.building import build
from nines.effects.interpret.database.executing import run
from nines.effects.interpret.database.fetching import fetch
from nines.effects.interpret.database.mapping import mapped
from nines.effects.interpret.database.sessions import session, transaction
from nines.effects.interpret.expressions.kinds import EVALUATORS
from nines.effects.interpret.libraries import injecting
from nines.effects.interpret.libraries.higher import invoked
from nines.effects.interpret.libraries.registering import decorator_stage, mount_stage, route_stage
from nines.effects.interpret.libraries.remote import emit
from nines.effects.interpret.machinery.frameworks import answers, forms, permissions, serializers, views
from nines.effects.interpret.machinery.language import containers, criteria, functions, members, records, texts
from nines.effects.interpret.machinery.mechanisms import mechanism
from nines.effects.interpret.objects.attributes import attribute_value
from nines.effects.interpret.state.interpreter import Interpreter
from nines.effects.interpret.statements.kinds import EXECUTORS

_MACHINERY = (
    *(active_records, injecting, managers, named_statements, query_sets),
    *(containers, criteria, functions, members, records, texts),
    *(answers, forms, permissions, serializers, views),
)

INTERPRETER = Interpreter(
    evaluators=EVALUATORS,
    executors=EXECUTORS,
    call=call_value,
    attribute=attribute_value,
    table=mapped,
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
    mechanisms={name: does for part in _MACHINERY for name, does in part.MECHANISMS.items()},
)
