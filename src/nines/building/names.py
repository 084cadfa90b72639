"""What things of a design are called in the Python of its service; every part asks here, so that imports agree."""

from __future__ import annotations

import keyword

from nines.model.blueprint.operation import OF_ACCOUNTS
from nines.model.design import Design, PlannedEndpoint
from nines.model.design.naming import WORD

_TYPES = frozenset({"bool", "bytes", "date", "datetime", "dict", "int", "list", "str"})
"""As a member of a class they would stand for the types of those that follow."""
SIGNING = "signing"
"""The generated module of the operations by which people sign in; written by the part `accounts`."""
OTHERS = "others"
"""The generated module of operations that belong to no resource."""
_OWN = frozenset(
    {
        *("application", "authentication", "codes", "constraints", "graph", "internal", "jobs", "keys", "letters"),
        *("openapi", OTHERS, "people", "ports", "sagas", "service", "settings", "shapes", SIGNING, "signing_shapes"),
        *("sql", "tokens"),
    }
)
"""Other modules of the generated package, after which no resource's is called."""


_CLASSES = frozenset(
    {"Annotated", "Any", "Cipher", "Decimal", "Iterable", "Literal", "Mapping", "Meta", "UUID", "UnsetType"}
)
"""What the module of bodies imports, after which none of its own classes is called."""


def class_of(shape: str) -> str:
    """The class of a body that the contract calls so."""
    return f"{shape}Body" if shape in _CLASSES else shape


def column(name: str) -> str:
    """A name in any case as the database and the contract have it, whatever Python keeps for itself: from, class."""
    return "_".join(word.lower() for word in WORD.findall(name))


def snake(name: str) -> str:
    """A name in any case as Python writes functions and modules: createPayment, payment.captured, base-url."""
    words = column(name) or "unnamed"
    return f"{words}_" if keyword.iskeyword(words) or words in _TYPES or words[0].isdigit() else words


def pascal(name: str) -> str:
    """A name in any case as Python writes classes."""
    return "".join(word[:1].upper() + word[1:] for word in snake(name).split("_"))


def kebab(name: str) -> str:
    """A name in any case as ids of queries have it: RefundRequest becomes refund-request."""
    return "-".join(word.lower() for word in WORD.findall(name))


def spoken(name: str) -> str:
    """A name in any case as people say it: RefundRequest becomes refund request."""
    return kebab(name).replace("-", " ")


def constant(name: str) -> str:
    """A name in any case as Python writes constants: list-payments becomes LIST_PAYMENTS."""
    return snake(name).rstrip("_").upper()


def package(design: Design) -> str:
    """The import name of the service."""
    return design.package


def source(design: Design, path: str) -> str:
    """The path of a Python file of the service: source(design, "_generated/sql.py")."""
    return f"src/{package(design)}/{path}"


def module(design: Design, endpoint: PlannedEndpoint) -> str:
    """The generated module that has the operation and whose `operations` lists it."""
    if endpoint.action in OF_ACCOUNTS:
        return SIGNING
    table = design.table_of(endpoint.resource) if endpoint.resource else None
    return module_of(table.name) if table else OTHERS


def module_of(table: str) -> str:
    """The generated module of what is kept in a table."""
    name = snake(table)
    return f"{name}_kept" if name in _OWN else name


def modules(design: Design) -> tuple[str, ...]:
    """Every generated module with operations, in the order of the contract."""
    return tuple(dict.fromkeys(module(design, endpoint) for endpoint in design.endpoints))
