"""What the names in a schema say: the verb of a mutation, the noun of a type, whose identifier an argument is."""

from __future__ import annotations

from nines.lab.requests.shapes import singular, words

_CREATING = frozenset(("create", "add", "new", "register", "insert", "make", "open", "submit", "post", "signup"))
_CHANGING = frozenset(("update", "edit", "set", "change", "modify", "patch", "rename", "save", "replace"))
_DELETING = frozenset(("delete", "remove", "destroy", "erase"))
_DOORS = frozenset(
    ("login", "logout", "signin", "signout", "token", "refresh", "verify", "authenticate", "auth", "password", "obtain")
)
_IDS = frozenset(("id", "ids", "uuid", "guid", "pk"))
_SUFFIXES = frozenset(("type", "node", "object", "model", "schema", "dto", "gql", "response", "output"))
CREATE, CHANGE, DELETE, ACT = "POST", "PATCH", "DELETE", ""


def verb(name: str) -> str:
    """The method of HTTP that a mutation is like; ACT where its name says nothing known."""
    found = words(name)
    for wanted, method in ((_CREATING, CREATE), (_CHANGING, CHANGE), (_DELETING, DELETE)):
        if found and (found[0] in wanted or (found[-1] in wanted and len(found) > 1)):
            return method
    return ACT


def is_door(name: str) -> bool:
    """Whether it signs somebody in or out."""
    found = words(name)
    return bool(set(found) & _DOORS) or found[:2] in (("log", "in"), ("log", "out"), ("sign", "in"), ("sign", "out"))


def noun(type: str) -> tuple[str, ...]:
    """The words of a type without what only says that it is one: "BookType" gives book."""
    found = words(type)
    while len(found) > 1 and found[-1] in _SUFFIXES:
        found = found[:-1]
    return found


def object_of(name: str) -> tuple[str, ...]:
    """The words of a field without its verb: "createBook" gives book."""
    found = words(name)
    known = _CREATING | _CHANGING | _DELETING | {"get", "list", "find", "fetch", "all", "by", "id"}
    kept = tuple(word for word in found if word not in known)
    return (*kept[:-1], singular(kept[-1])) if kept else found


def kebab(parts: tuple[str, ...]) -> str:
    return "-".join(parts)


def plural(parts: tuple[str, ...]) -> str:
    """The segment of a path for many of them."""
    last = parts[-1]
    if last.endswith("y") and last[-2:-1] not in tuple("aeiou"):
        many = last[:-1] + "ies"
    elif last.endswith(("ss", "sh", "ch", "x", "z")):
        many = last + "es"
    else:
        many = last if last.endswith("s") else last + "s"
    return kebab((*parts[:-1], many))


def names_id(argument: str, of: tuple[str, ...]) -> bool:
    """Whether an argument is the identifier of such a thing: `id` or `bookId` of a book."""
    found = words(argument)
    if not found or found[-1] not in _IDS:
        return False
    stem = tuple(singular(word) for word in found[:-1])
    return not stem or stem == of or of[-len(stem) :] == stem
