"""What keeps the tenants' data apart."""

from __future__ import annotations

from nines.model.design import Decision, Design
from nines.planning.decisions.deciding import is_said, option

NUMBER = 15
_NAMES = {
    "row": "a column in every row",
    "schema": "a schema for each tenant",
    "database": "a database for each tenant",
}


def decide(design: Design) -> Decision | None:
    tenancy = design.tenancy
    if tenancy is None or tenancy.isolation not in _NAMES:
        return None
    carrying = sum(1 for table in design.tables if table.column(tenancy.key) is not None)
    first = sum(1 for table in design.tables for index in table.indexes if index.names[:1] == (tenancy.key,))
    return Decision(
        id="tenancy",
        number=NUMBER,
        concern="Separation of tenants",
        context=f"{tenancy.key} separates tenants; {carrying} of {len(design.tables)} tables carry it, and {first} "
        "indexes "
        "begin with it.",
        options=(
            option(
                _NAMES["row"],
                "one migration for all, thousands of tenants, one pool",
                "a statement that forgets the column shows somebody else's rows",
                "tenants are many and small",
            ),
            option(
                _NAMES["schema"],
                "a forgotten condition shows nothing of others; one tenant can be exported or restored",
                "migrations run once for each; thousands of schemas make the catalogue slow",
                "some hundred tenants, each with demands of its own",
            ),
            option(
                _NAMES["database"],
                "nothing is shared, not even the load",
                "a pool, a backup and a migration for each",
                "a few large tenants who pay for it",
            ),
        ),
        chosen=_NAMES[tenancy.isolation],
        because=f"The blueprint says so; every statement on those tables names {tenancy.key}, and it is the key by "
        "which "
        "the data would be divided",
        consequences=(
            f"{tenancy.key} comes from the caller's token, never from the request.",
            f"Every generated statement names {tenancy.key}; one that the owner writes has to, too: the database does "
            "not look (row-level security would, for the price of a setting in each transaction).",
        )
        if tenancy.isolation == "row"
        else ("The connection is chosen by the caller's token, never by the request.",),
        changes_when="One tenant makes up a large part of the load, or must be able to leave with its data alone.",
        is_given=is_said(design, "tenancy"),
    )
