"""How things are called in the database: snake case, tables in the plural."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nines.model.design import PlannedIndex
from nines.model.design.ddl import identifier
from nines.model.design.naming import WORD

_IRREGULAR = {
    "child": "children",
    "criterion": "criteria",
    "datum": "data",
    "foot": "feet",
    "goose": "geese",
    "half": "halves",
    "hero": "heroes",
    "knife": "knives",
    "leaf": "leaves",
    "life": "lives",
    "loaf": "loaves",
    "man": "men",
    "matrix": "matrices",
    "mouse": "mice",
    "person": "people",
    "phenomenon": "phenomena",
    "potato": "potatoes",
    "quiz": "quizzes",
    "shelf": "shelves",
    "tomato": "tomatoes",
    "tooth": "teeth",
    "vertex": "vertices",
    "wife": "wives",
    "wolf": "wolves",
    "woman": "women",
}
_UNCHANGED = frozenset(
    {
        *("advice", "aircraft", "data", "deer", "equipment", "feedback", "fish", "furniture", "hardware"),
        *("information", "luggage", "media", "metadata", "money", "news", "series", "sheep", "software", "species"),
        "staff",
    }
)


def words(name: str) -> tuple[str, ...]:
    """The words of a name in camel, Pascal, snake or kebab case, in lower case."""
    return tuple(word.lower() for word in WORD.findall(name))


def snake(name: str) -> str:
    return "_".join(words(name))


def kebab(name: str) -> str:
    return "-".join(words(name))


def plural(name: str) -> str:
    """The plural of a snake-case English noun: "payment_entry" becomes "payment_entries"."""
    head, separator, last = name.rpartition("_")
    return f"{head}{separator}{_plural_word(last)}"


def _plural_word(word: str) -> str:
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if word in _UNCHANGED:
        return word
    if word.endswith("sis"):
        return f"{word[:-2]}es"
    if word.endswith("y") and len(word) > 1 and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    if word.endswith(("s", "x", "z", "ch", "sh")):
        return word + "es"
    return word + "s"


def table_name(resource: str) -> str:
    """ "RefundRequest" is kept in "refund_requests"."""
    return identifier(plural(snake(resource)))


def index_name(table: str, columns: Sequence[str], others: Iterable[PlannedIndex]) -> str:
    """After the columns, without the identifier that only breaks ties; a second of the same name gets a number."""
    names = [column.split()[0] for column in columns]
    told = names[:-1] if len(names) > 1 and names[-1] == "id" else names
    taken = {index.name for index in others}
    name, number = identifier(table, *told, "idx"), 2
    while name in taken:
        name = identifier(table, *told, str(number), "idx")
        number += 1
    return name
