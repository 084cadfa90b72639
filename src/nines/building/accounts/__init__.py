"""Signing up, in and out, for services that keep the accounts themselves."""

from __future__ import annotations

from collections.abc import Iterator

from nines.building.accounts import identity, letters, operating, shapes, signing
from nines.building.accounts.facts import people_of
from nines.building.file import File
from nines.model.design import Design


def write(design: Design) -> Iterator[File]:
    """`_generated/signing.py` and what goes with it; nothing where people sign in elsewhere.

    The service has a field `accounts`, made by `identity.accounts_of(settings)`, and one for the carrier of letters
    (`mail`, made by `gateways.mail.mail(settings, observer)`); callers are told apart by
    `identity.authenticator_of(accounts, database)`; a piece of the job that sends is `letters.send(service, row,
    deadline)`."""
    for people in people_of(design):
        yield from signing.write(people)
        yield from shapes.write(people)
        yield from identity.write(people)
        yield from letters.write(people)
        yield from operating.write(people)
