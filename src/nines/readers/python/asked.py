"""Which environment variables a program asks for, and with which defaults."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain

from nines.model.code import (
    Assign,
    Attribute,
    Call,
    Class,
    Constant,
    Expression,
    If,
    Mapping,
    Module,
    Name,
    Opaque,
    Program,
    Sequence,
    Statement,
    Subscript,
)
from nines.readers.python.walk import functions_of, nodes_of

Asked = tuple[str, str | None]
"""A variable and its default: None where there is none and it must be given, "" where the default is no plain value."""

_SETTINGS_BASES = ("BaseSettings", "BaseAppSettings")
_ENVIRONMENT_OBJECT = "env"
"""What an Env of django-environ or environs is called by everyone."""
_ASKING_OBJECTS = ("env", "config")
"""Called with a name: an Env, or a Config of Starlette or decouple."""
_CONSTANT_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
_DATABASE_NAME = "DATABASE_URL"
"""Which variable django-environ and dj-database-url take when none is named."""
_DEPTH_MAX = 4


def asked_at_start(program: Program) -> Iterator[Asked]:
    """What settings classes and modules at their import ask for; declared defaults come first."""
    for module in program.modules:
        yield from _schemes(module)
    classes = {
        statement.name: statement
        for module in program.modules
        for statement in module.body
        if isinstance(statement, Class)
    }
    for module in program.modules:
        for statement in module.body:
            if isinstance(statement, Class) and _is_settings(statement, classes):
                yield from _fields(statement, classes)
        for statement in _imported(module):
            for name, default in _looked_up(statement):
                # What only one branch asks for, another environment can do without.
                yield name, "" if default is None and isinstance(statement, If) else default


def asked_later(program: Program) -> Iterator[str]:
    """The variables that functions ask for, such as an application's factory."""
    for module in program.modules:
        for _, body in functions_of(module):
            yield from (name for name, _ in chain.from_iterable(map(_looked_up, body)))


# --- settings classes ---------------------------------------------------------------------------------


def _is_settings(found: Class, classes: dict[str, Class], depth: int = 0) -> bool:
    bases = [base.id for base in found.bases if isinstance(base, Name)]
    return any(
        base in _SETTINGS_BASES
        or base.endswith("Settings")
        or (base in classes and depth < _DEPTH_MAX and _is_settings(classes[base], classes, depth + 1))
        for base in bases
    )


def _fields(settings: Class, classes: dict[str, Class]) -> Iterator[Asked]:
    """The fields of a class of pydantic's settings; those of its parts with the delimiter in between."""
    prefix = _option(settings, "env_prefix", classes)
    delimiter = _option(settings, "env_nested_delimiter", classes)
    for name, field in _annotated(settings):
        variable = (_told_name(field.value) or prefix + name).upper()
        part = _part(field.annotation, classes) if delimiter else None
        if part is None:
            yield variable, _default(field.value)
        else:
            yield from _nested(variable + delimiter, part, delimiter, classes, is_given=field.value is not None)


def _nested(
    prefix: str, part: Class, delimiter: str, classes: dict[str, Class], *, is_given: bool, depth: int = 0
) -> Iterator[Asked]:
    for name, field in _annotated(part):
        inner = _part(field.annotation, classes) if depth < _DEPTH_MAX else None
        here = prefix + name.upper()
        if inner is not None:
            given = is_given or field.value is not None
            yield from _nested(here + delimiter, inner, delimiter, classes, is_given=given, depth=depth + 1)
        else:
            default = _default(field.value)
            yield here, "" if default is None and is_given else default


def _annotated(found: Class) -> Iterator[tuple[str, Assign]]:
    for field in found.body:
        if isinstance(field, Assign) and field.annotation is not None and not _is_class_variable(field):
            for target in field.targets:
                if isinstance(target, Name) and not target.id.startswith("_"):
                    yield target.id, field


def _is_class_variable(field: Assign) -> bool:
    return any(isinstance(node, Name) and node.id == "ClassVar" for node in nodes_of(field.annotation))


def _part(annotation: Expression | None, classes: dict[str, Class]) -> Class | None:
    """The project's own class that a field holds, where it has fields itself."""
    found = classes.get(annotation.id) if isinstance(annotation, Name) else None
    return found if found is not None and any(True for _ in _annotated(found)) else None


def _option(settings: Class, name: str, classes: dict[str, Class], depth: int = 0) -> str:
    """An option of pydantic's settings: in `model_config`, in an inner class `Config`, or inherited."""
    for field in settings.body:
        found: Expression | None = None
        if isinstance(field, Assign) and isinstance(field.value, Call):
            found = next((keyword.value for keyword in field.value.keywords if keyword.name == name), None)
        elif isinstance(field, Assign) and isinstance(field.value, Mapping):
            found = next((pair.value for pair in field.value.pairs if _text(pair.key) == name), None)
        elif isinstance(field, Class) and field.name == "Config":
            found = next((each.value for each in field.body if isinstance(each, Assign) and _sets(each, name)), None)
        if _text(found):
            return _text(found)
    parents = [classes[base.id] for base in settings.bases if isinstance(base, Name) and base.id in classes]
    inherited = (_option(parent, name, classes, depth + 1) for parent in parents if depth < _DEPTH_MAX)
    return next((text for text in inherited if text), "")


def _sets(field: Assign, name: str) -> bool:
    return any(isinstance(target, Name) and target.id == name for target in field.targets)


def _told_name(value: Expression | None) -> str:
    """The name that a field gives itself, `Field(validation_alias="DB_URL")`."""
    if not isinstance(value, Call):
        return ""
    told = (_text(keyword.value) for keyword in value.keywords if keyword.name in ("validation_alias", "alias", "env"))
    return next((text for text in told if text), "")


def _default(value: Expression | None) -> str | None:
    if value is None:
        return None
    if isinstance(value, Call):
        # `Field(...)` and `Field(min_length=1)` give no default.
        given = [keyword.value for keyword in value.keywords if keyword.name == "default"]
        given += [item for item in value.arguments[:1] if not isinstance(item, Opaque)]
        has_factory = any(keyword.name == "default_factory" for keyword in value.keywords)
        if not given:
            return "" if has_factory or _called(value.function) != "Field" else None
        value = given[0]
    return _plain(value)


# --- calls and look-ups -------------------------------------------------------------------------------


def _imported(module: Module) -> Iterator[Statement]:
    """The statements that run when the module is imported."""
    return (statement for statement in module.body if not (isinstance(statement, If) and _asks_for_main(statement)))


def _asks_for_main(statement: If) -> bool:
    return any(isinstance(node, Name) and node.id == "__name__" for node in nodes_of(statement.test))


def _schemes(module: Module) -> Iterator[Asked]:
    """`environ.Env(DEBUG=(bool, False))`: casts with their defaults."""
    for node in nodes_of(module.body):
        if isinstance(node, Call) and _called(node.function) == "Env":
            for keyword in node.keywords:
                if keyword.name and isinstance(keyword.value, Sequence) and len(keyword.value.items) > 1:
                    yield keyword.name, _plain(keyword.value.items[1])


def _looked_up(statement: Statement) -> Iterator[Asked]:
    """What one statement reads from `os.environ`, through `os.getenv`, or through an object made for that."""
    written = {id(target) for node in nodes_of(statement) if isinstance(node, Assign) for target in node.targets}
    for node in nodes_of(statement):
        if isinstance(node, Subscript) and id(node) not in written and _is_environ(node.value):
            if _text(node.key):
                yield _text(node.key), None
        elif isinstance(node, Call):
            yield from _called_for(node)


def _called_for(call: Call) -> Iterator[Asked]:
    function, named = call.function, _text(call.arguments[0]) if call.arguments else ""
    method = function.name if isinstance(function, Attribute) else ""
    owner = function.value.id if isinstance(function, Attribute) and isinstance(function.value, Name) else ""
    given = next((keyword.value for keyword in call.keywords if keyword.name == "default"), None)
    if named and _is_get(function):
        yield named, _plain(call.arguments[1]) if len(call.arguments) > 1 else ""
    elif _CONSTANT_NAME.fullmatch(named) and owner == _ENVIRONMENT_OBJECT:
        positional = call.arguments[1] if len(call.arguments) > 1 else None
        yield named, _asked_default(given or positional)
    elif _CONSTANT_NAME.fullmatch(named) and isinstance(function, Name) and function.id in _ASKING_OBJECTS:
        # The second argument is what the text is turned into.
        yield named, _asked_default(given or (call.arguments[2] if len(call.arguments) > 2 else None))
    elif not named and owner == _ENVIRONMENT_OBJECT and method in ("db", "db_url", "dj_db_url"):
        yield _DATABASE_NAME, _asked_default(given)
    elif not named and owner == "dj_database_url" and method in ("config", "parse"):
        yield _DATABASE_NAME, _plain(given) if given else ""


def _asked_default(given: Expression | None) -> str | None:
    return None if given is None else _plain(given)


def _is_environ(value: Expression) -> bool:
    return (isinstance(value, Attribute) and value.name == "environ") or (
        isinstance(value, Name) and value.id == "environ"
    )


def _is_get(function: Expression) -> bool:
    if isinstance(function, Name):
        return function.id == "getenv"
    return isinstance(function, Attribute) and (
        function.name == "getenv" or (function.name == "get" and _is_environ(function.value))
    )


def _called(function: Expression) -> str:
    return function.name if isinstance(function, Attribute) else function.id if isinstance(function, Name) else ""


def _text(value: Expression | None) -> str:
    return value.value if isinstance(value, Constant) and isinstance(value.value, str) else ""


def _plain(value: Expression | None) -> str:
    """A text, number or truth value as it would stand in the environment; "" for anything else."""
    if isinstance(value, Constant) and isinstance(value.value, str | int | float):
        return str(value.value)
    return ""
