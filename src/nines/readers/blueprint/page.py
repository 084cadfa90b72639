"""The vocabulary as a page for people: every key with its meaning, its form and its default."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from nines.readers.blueprint.combined import Either, Listed, Made
from nines.readers.blueprint.records import Key, Keys, Table
from nines.readers.blueprint.shapes import Choice, Flag, Shape, Word
from nines.readers.blueprint.vocabulary.blueprint import BLUEPRINT, NEWEST

EXAMPLE = """\
# yaml-language-server: $schema=./nines-blueprint-1.json
nines: 1
service: {name: orders, tier: standard}
budgets: {availability: 99.9%, p95: 200ms, recovery: 5m, rpo: 0s}
load: {steady: 50/s, peak: 300/s, growth: 2x/y, payload: 2KiB}
auth: {scheme: oidc, issuer: "${OIDC_ISSUER}"}
roles: {customer: {}, clerk: {mfa: true}}
types:
  Money: {amount_minor: "int64 > 0", currency: iso4217}
resources:
  Order:
    id: {prefix: ord}
    fields:
      total: Money
      ship_to: {type: string, max: 400, pii: true}
    states: {placed: [shipped, cancelled], shipped: [delivered]}
    access: {read: "owner or role:clerk", list: "owner or role:clerk", write: "owner or role:clerk"}
    retention: 7y
operations:
  placeOrder: {on: Order, do: create, roles: [customer], idempotency: required, emits: order.placed}
  getOrder: {on: Order, do: read}
  listOrders: {on: Order, do: list, filter: [status], order: "created_at desc"}
  cancelOrder: {on: Order, do: "-> cancelled", roles: [customer], if_match: required}
  shipOrder: {on: Order, do: "-> shipped", roles: [clerk]}
  deliverOrder: {on: Order, do: "-> delivered", roles: [clerk]}
dependencies:
  db: {type: postgres, replication: synchronous, pool: 8, connections: 200}
limits: {default: 100/m per subject}
events: {order.placed: {version: 1}}
"""
"""A whole blueprint that holds."""

_HEAD = f"""\
# The vocabulary of a blueprint, version {NEWEST}

A blueprint is YAML: mappings, lists and plain values, without anchors, tags or repeated keys. It says what a service
shall be and how much of it, never its logic. `nines design blueprint.yaml -o dossier` checks it, refuses with options
what cannot hold, and writes the dossier; `nines design --ask` writes a first one. This page is made from the
declaration that reads blueprints (`nines design --vocabulary`), and so is the JSON Schema by which an editor completes
them (`nines design --schema > nines-blueprint-1.json`).

```yaml
{EXAMPLE}```

Every resource has `id`, `created_at`, `updated_at` and `version` by itself, `status` where it has states, `owner_id`
where its owner may do something, and the tenancy's key where there is one; filters, orders, keys and invariants may
name them. A part of a composite field is named with a point: `total.currency`.
"""


def vocabulary() -> str:
    """Markdown, one section for each record, in the order of the file."""
    sections = [_HEAD]
    for record, named in _records(BLUEPRINT):
        title = f"## {record.title}" if record is not BLUEPRINT else "## The whole"
        also = f" Its entries are {named}." if named else ""
        sections.append(f"{title}\n\n{record.says}{also}\n\n{_table(record)}\n")
    return "\n".join(sections)


def _records(root: Keys) -> Iterator[tuple[Keys, str]]:
    """Every record once, the outer before the inner."""
    seen: set[str] = set()
    waiting: list[tuple[Shape, str]] = [(root, "")]
    while waiting:
        shape, named = waiting.pop(0)
        if isinstance(shape, Keys):
            if shape.title in seen:
                continue
            seen.add(shape.title)
            yield shape, named
        inner = [(each, shape.what if isinstance(shape, Table) else "") for each in shape.parts()]
        waiting = [*inner, *waiting]


def _table(record: Keys) -> str:
    rows = ["| key | what it says | how it is written | without it |", "|---|---|---|---|"]
    for key in record.keys:
        cells = (f"`{key.name}`", key.says, _form(key.shape), _without(key))
        rows.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    if record.rest is not None:
        rows.append(f"| *a name* | one of the {record.rest.what}: {record.rest.style} | {_form(record.rest.shape)} | |")
    return "\n".join(rows)


def _without(key: Key) -> str:
    if key.is_required:
        return "refused"
    return f"`{key.default}`" if key.default else ""


@functools.singledispatch
def _form(shape: Shape) -> str:
    return shape.expected


@_form.register
def _(shape: Made) -> str:
    return _form(shape.shape)


@_form.register
def _(shape: Choice) -> str:
    return ", ".join(f"`{word}`{f' ({says})' if says else ''}" for word, says in shape.says.items())


@_form.register
def _(shape: Keys) -> str:
    return f"see [{shape.title}](#{shape.title})"


@_form.register
def _(shape: Table) -> str:
    return f"a mapping from names to: {_form(shape.shape)}"


@_form.register
def _(shape: Listed) -> str:
    return f"{_form(shape.shape)}, or a list" if shape.or_one else f"a list of: {_form(shape.shape)}"


@_form.register
def _(shape: Either) -> str:
    return "; or ".join(_form(each) for each in shape.shapes)


@_form.register
def _(_: Flag) -> str:
    return "`true`, `false`"


@_form.register
def _(shape: Word) -> str:
    examples = ", ".join(
        [*(f"`{word}` ({says})" for word, says in shape.words.items()), *(f"`{each}`" for each in shape.examples)]
    )
    return f"{shape.expected}: {examples}" if examples else shape.expected
