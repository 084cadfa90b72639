"""What is written wrongly is told at its place, all of it, with the nearest word."""

from __future__ import annotations

import pytest

from nines.model.errors import BlueprintError
from nines.readers.blueprint import parse

HEAD = "nines: 1\nservice: {name: x}\n"
SHOP = (
    HEAD
    + """\
roles: {customer: {}}
tenancy: {key: firm_id}
types:
  Money: {amount_minor: int64, currency: iso4217}
resources:
  Order:
    fields:
      amount: Money
      label: string
    states: {open: [paid], paid: [shipped]}
dependencies:
  gateway: {type: http}
events:
  order.paid: {}
operations:
  createOrder: {on: Order, do: create}
"""
)


def _problems(text: str) -> list[str]:
    with pytest.raises(BlueprintError) as caught:
        parse(text, "b.yaml")
    assert str(caught.value).startswith("b.yaml: the blueprint cannot be read")
    return [str(problem).removeprefix("b.yaml:") for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ("lod: {}\n", '3:1: "lod" is no key here: did you mean load?'),
        ("load: {steady: 10}\n", '3:16: expected a rate such as 150/s, 20/m or 1000/d, found "10": did you mean 10/s?'),
        (
            "load: {steady: 0/s}\n",
            '3:16: expected a rate such as 150/s, 20/m or 1000/d, found "0/s": it is more than 0',
        ),
        ("load: {growth: 0.5x/y}\n", "3:16: expected a growth"),
        ("load: {payload: 0B}\n", "3:17: expected a size"),
        ("load: {payload: 5KB}\n", "3:17: expected a size"),
        ("load: [1]\n", "3:7: expected a mapping with the keys steady, peak, growth, payload, found a list"),
        ("budgets: {availability: 100%}\n", '3:25: expected a share such as 99.9%, found "100%": it lies above 0%'),
        ("budgets: {availability: 99.9}\n", '3:25: expected a share such as 99.9%, found "99.9"'),
        ("budgets: {p95: 0ms}\n", '3:16: expected a duration such as 200ms, 5m or 24h, found "0ms": it is more than 0'),
        ("budgets: {p95: }\n", "3:16: expected a duration such as 200ms, 5m or 24h, found nothing"),
        ("budgets: {recovery: 200y}\n", "more than a hundred years"),
        ("auth: {scheme: jwt}\n", '3:16: "jwt" is not known here: did you mean oauth2-jwt?'),
        ("auth: {algs: []}\n", "3:14: expected from 1 to 500 entries, found 0"),
        ("roles: {Admin: {}}\n", '3:9: "Admin" is no name for roles: write it in lower case'),
        ("roles: {a: {mfa: yes}}\n", '3:18: expected true or false, found "yes"'),
        ("deploy: {replicas: {min: 5, max: 2}}\n", "3:20: min is 5 and max is 2: min is at most max"),
        ("deploy: {zones: 1.5}\n", '3:17: expected a whole number from 1 to 10, found "1.5"'),
        ("deploy: {zones: 99999999999999999999999}\n", "3:17: expected a whole number from 1 to 10"),
        ("open: [{path: load.peak}]\n", "3:8: question is missing: What is not known."),
        ("service: {name: y}\n", '3:1: "service" stands here twice, first at 2:1'),
        ("types: {Money: {}}\n", "3:9: the type Money has no fields"),
        ("resources: {order: {}}\n", '3:13: "order" is no name for resources: write it in Pascal case'),
        ("resources: {R: {fields: {a: strng}}}\n", '3:29: there is no type "strng": did you mean string?'),
        ("resources: {R: {fields: {a: 'int64 < 5'}}}\n", "write the largest value that is allowed: <= instead of < 5"),
        ("resources: {R: {fields: {a: 'date > 5'}}}\n", '"> 5" does not go with date'),
        ("resources: {R: {fields: {a: {ref: R, type: string}}}}\n", "one of type, ref, values; found type and ref"),
        ("resources: {R: {fields: {a: {optional: true}}}}\n", "one of type, ref, values; found none of them"),
        ("resources: {R: {fields: {a: {type: int32, min: 5, max: 1}}}}\n", "min is 5 and max is 1"),
        ("resources: {R: {fields: {a: {type: boolean, max: 1}}}}\n", "max: 1 does not go with boolean"),
        ("resources: {R: {fields: {a: {type: boolean, default: 1}}}}\n", 'is true or false, found "1"'),
        ("resources: {R: {fields: {a: {type: int64, default: 1.5}}}}\n", "is a whole number"),
        ("resources: {R: {fields: {a: {values: [b], default: c}}}}\n", 'the default "c" is none of the values'),
        ("resources: {R: {fields: {a: {type: date, default: today}}}}\n", 'is written like 2030-01-31, found "today"'),
        ("resources: {R: {fields: {a: {type: date, default: 2030-02-31}}}}\n", "is written like 2030-01-31"),
        ("resources: {R: {fields: {a: {type: timestamp, default: now}}}}\n", "is written like"),
        ("resources: {R: {fields: {a: {type: iso4217, default: euro}}}}\n", "is written like EUR"),
        ("resources: {R: {fields: {a: {type: decimal, default: much}}}}\n", "the default of a decimal is a number"),
        ("resources: {R: {fields: {a: {type: int32, min: 5, default: 1}}}}\n", "the default 1 is outside of what min"),
        ("resources: {R: {fields: {a: {type: string, max: 2, default: abc}}}}\n", "the default has 3 characters"),
        ("resources: {R: {fields: {a: {type: string, list: true, default: a}}}}\n", "a list begins empty"),
        ("resources: {R: {fields: {a: {type: json, default: a}}}}\n", "a field of this kind (json) has no default"),
        ("resources: {R: {fields: {a: {ref: R, on_delete: set-null}}}}\n", "needs optional: true"),
        ("resources: {R: {fields: {a: {type: string, on_delete: cascade}}}}\n", "on_delete goes with ref only"),
        ("resources: {R: {fields: {created_at: date}}}\n", "3:26: every resource has created_at by itself"),
        ("resources: {R: {states: {a: [b]}, fields: {status: string}}}\n", "every resource has status by itself"),
        ("resources: {R: {double_entry: true}}\n", "double_entry goes with kind: ledger"),
        ("resources: {R: {access: {read: owner and tenant}}}\n", "expected who may"),
        ("resources: {R: {access: {read: role:clerk}}}\n", 'there is no role "clerk": there is none'),
        ("resources: {R: {fields: {a: uuid}, unique: [a]}}\n", "expected a list, each the name of a field"),
        ("resources: {R: {retention: 0d}}\n", "it is more than 0"),
        ("tenancy: {key: id}\n", "3:11: id is a column of its own"),
        ("tenancy: {key: f}\nresources: {R: {fields: {f: uuid}}}\n", "4:26: every resource has f by itself"),
        ("operations: {a: {on: R}}\n", "3:17: do is missing"),
        ("operations: {a: {do: create}}\n", "3:14: on is missing"),
        ("operations: {a: {do: custom}}\n", "3:14: do: custom needs `hook`"),
        ("jobs: {a: {attempts: 3}}\n", "3:8: the job does nothing"),
        ("jobs: {a: {from: open, hook: f}}\n", '"open" is a state of which resource? Name it with `on`'),
        ("roles: {" + "a" * 50 + ": {}}\n", "it is at most 40 characters long"),
        ("limits: {default: 100 per minute per user}\n", "did you mean 100/m per subject?"),
        ("resources: {R: {retention: 6 months}}\n", "did you mean 180d?"),
        ("resources: {R: {fields: {a: varchar(80)}}}\n", "did you mean string <= 80?"),
        ("resources: {R: {fields: {a: datetime}}}\n", "did you mean timestamp?"),
        ("resources: {R: {fields: {a: Money}}}\n", "declare it under types, each part with its type: Money"),
        ("resources: {R: {fields: {a: {type: text, required: true}}}}\n", "a field is required unless it says so"),
        ("resources: {R: {access: {read: anyone}}}\n", "did you mean public?"),
        ("resources: {R: {access: {read: owner or admin}}}\n", "did you mean owner or role:admin?"),
        ("budgets: {window: 30 days}\n", "did you mean 30d?"),
        ("load: {steady: 150 rps, peak: 600 req/s}\n", "did you mean 150/s?"),
        ("load: {payload: 1 KB, growth: 2x}\n", "did you mean 1kB?"),
        ("auth: {algs: EdDSA}\n", "write [EdDSA]"),
        ("modules: {m: {reason: Plans, and invoices}}\n", "a text that has one stands in quotes"),
        ("limits: {default: 5 per subject}\n", "3:19: expected a limit such as"),
        ("dependencies: {a: {type: mysql}}\n", '3:26: "mysql" is not known here'),
        ("dependencies: {a: {}}\n", "3:19: type is missing: What it is."),
        ("events: {paid: {}}\n", '3:10: "paid" is no name for events: write it as resource.happened'),
        ("events: {order.paid: {fields: [label]}}\n", '"label" is a field of which resource? Name it with `on`'),
    ],
)
def test_a_mistake_is_told_at_its_place(more: str, problem: str) -> None:
    assert any(problem in each for each in _problems(HEAD + more)), _problems(HEAD + more)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("on: Order, do: create", "on: Ordr, do: create", '18:21: there is no resource "Ordr": did you mean Order?'),
        ("do: create", "do: creat", '18:32: "creat" is not known here: did you mean create?'),
        ("do: create", 'do: "-> payd"', '18:32: Order has no state "payd": did you mean paid?'),
        ("do: create", "do: create, roles: [custmer]", 'there is no role "custmer": did you mean customer?'),
        ("do: create", "do: create, calls: gatway.pay", 'there is no dependency "gatway": did you mean gateway?'),
        ("do: create", "do: create, emits: order.payd", 'there is no event "order.payd": did you mean order.paid?'),
        ("do: create", "do: create, posts: Ordr", 'there is no resource "Ordr": did you mean Order?'),
        ("do: create", "do: list, filter: [lable]", 'Order has no field "lable": did you mean label?'),
        ("do: create", "do: list, filter: [amount]", "amount is made of parts; name one of them: amount.amount_minor"),
        ("do: create", "do: list, filter: [amount.curency]", 'Money has no part "curency": did you mean currency?'),
        ("do: create", "do: list, filter: [label.x]", "label has no parts"),
        ("do: create", "do: list, order: [lable desc]", 'Order has no field "lable": did you mean label?'),
        ("do: create", "do: create, page: {max: 5}", "page goes with do: list, custom only"),
        ("do: create", "do: create, if_match: required", 'if_match goes with do: update, delete, "-> state", custom'),
        ("do: create", "do: read, idempotency: required", "idempotency goes with do: create, update"),
        ("do: create", "do: create, takes: {note: string}", 'takes goes with do: "-> state", custom only'),
        ("do: create", "do: read, hook: decide", "hook goes with do: create, update"),
        ("do: create", "do: list, async: true", "async goes with do: create, update"),
        ("do: create", "do: read, gives: {note: string}", "gives goes with do: custom only"),
        ("do: create", "do: list, page: {default: 9, max: 5}", "default is 9 and max is 5"),
        ("do: create", "do: create, public: true, roles: [customer]", "public: true and roles contradict each other"),
        ("do: create", "do: create, saga: [{do: pay}, {do: createOrder}]", 'there is no operation "pay"'),
        ("do: create", "do: create, saga: [{do: createOrder}]", "expected from 2 to 500 entries, found 1"),
        ("do: create", "do: create, deprecated: {since: 2030-02-30}", "expected a day such as 2030-01-31"),
        ("do: create", "do: create, deprecated: {since: 2030-02-01, sunset: 2029-01-01}", "before since"),
        ("order.paid: {}", "order.paid: {fields: [lable]}", 'Order has no field "lable": did you mean label?'),
        ("order.paid: {}", "order.paid: {fields: [created_at]}", 'Order has no field "created_at"'),
        ("order.paid: {}", "broker: bus", 'there is no dependency "bus"'),
        ("label: string", "label: {ref: Ordr}", 'there is no resource "Ordr": did you mean Order?'),
        ("    states:", "    unique: [[lable]]\n    states:", 'Order has no field "lable": did you mean label?'),
        ("    states:", '    indexes: [["lable desc"]]\n    states:', 'Order has no field "lable"'),
        ("    states:", '    invariants: ["lable = 1"]\n    states:', 'Order has no field "lable"'),
        ("    states:", '    invariants: ["label"]\n    states:', "compares nothing"),
        ("    states:", '    invariants: ["(label = 1"]\n    states:', "the parentheses of"),
        ("    states:", '    invariants: ["label = 1; drop table x"]\n    states:', "cannot stand in a condition"),
        ("    states:", '    invariants: ["pg_sleep(9) = 1"]\n    states:', 'Order has no field "pg_sleep"'),
        (
            "roles:",
            "limits: {creatOrder: 1/s}\nroles:",
            'there is no operation "creatOrder": did you mean createOrder?',
        ),
        ("roles:", "modules: {a: {resources: [Ordr]}}\nroles:", 'there is no resource "Ordr": did you mean Order?'),
        (
            "roles:",
            "modules: {a: {resources: [Order]}, b: {resources: [Order]}}\nroles:",
            "Order belongs to a and to b; only one part writes a resource",
        ),
        (
            "roles:",
            "jobs: {j: {on: Order, from: opn, hook: f}}\nroles:",
            'Order has no state "opn": did you mean open?',
        ),
    ],
)
def test_a_name_that_is_declared_nowhere_is_told_with_the_nearest(old: str, new: str, problem: str) -> None:
    assert old in SHOP
    found = _problems(SHOP.replace(old, new, 1))
    assert len(found) == 1, found
    assert problem in found[0]


def test_the_names_that_are_right_are_right() -> None:
    parse(SHOP)


def test_everything_that_is_wrong_is_told_in_the_order_of_the_file() -> None:
    found = _problems("nines: 1\nservice: {name: X}\nlod: {}\nload: {steady: 1, peak: 2}\n")
    assert [problem.partition(" ")[0] for problem in found] == ["2:17:", "3:1:", "4:16:", "4:25:"]


def test_a_field_that_is_wrong_is_still_a_field_to_others() -> None:
    found = _problems(SHOP.replace("label: string", "label: strng").replace("do: create", "do: list, filter: [label]"))
    assert len(found) == 1


def test_more_problems_than_anybody_reads_are_counted() -> None:
    with pytest.raises(BlueprintError, match=r"the blueprint cannot be read: 80 problems") as caught:
        parse(HEAD + "".join(f"key{number}: 1\n" for number in range(80)))
    assert len(caught.value.problems) == 50
    assert "... and 30 more" in caught.value.detail


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("nines: 2\n", "1:8: this blueprint is of version 2, and this nines knows versions up to 1: install a newer"),
        ("nines: 0\n", '1:8: expected a version such as 1, found "0"'),
        ("nines: one\n", '1:8: expected a version such as 1, found "one"'),
        ("nines: true\n", '1:8: expected a version such as 1, found "true"'),
        ("service: {name: x}\n", "1:1: nines is missing: the version of the vocabulary, nines: 1"),
        ("nines: 1\n", "1:1: service is missing: Who the service is."),
        ("- 1\n", "1:1: a blueprint is a mapping that begins with"),
        ("", "1:1: it is empty"),
        ("# only a comment\n", "1:1: it is empty"),
        ("just words\n", "1:1: a blueprint is a mapping"),
    ],
)
def test_what_is_no_blueprint_is_told(text: str, problem: str) -> None:
    (found,) = _problems(text)
    assert problem in found
