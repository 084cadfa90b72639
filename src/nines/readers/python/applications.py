"""Finds the application objects that a server can run, by reading only."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from nines.model.code import (
    Assign,
    Attribute,
    Await,
    Call,
    Class,
    Compare,
    Constant,
    Expression,
    Function,
    If,
    Module,
    Name,
    Parameter,
    Program,
    Return,
    Statement,
    unpack,
)
from nines.model.place import Place
from nines.model.record import Record
from nines.model.service import Application
from nines.readers.python.ranking import Candidate, rank
from nines.readers.python.scope import Scope
from nines.readers.python.walk import functions_of, nodes_of, statements_of

FRAMEWORKS = {
    "apiflask.APIFlask": ("flask", "wsgi"),
    "blacksheep.Application": ("blacksheep", "asgi"),
    "bottle.Bottle": ("bottle", "wsgi"),
    "channels.routing.ProtocolTypeRouter": ("django", "asgi"),
    "connexion.AsyncApp": ("connexion", "asgi"),
    "connexion.FlaskApp": ("connexion", "asgi"),
    "django.core.asgi.get_asgi_application": ("django", "asgi"),
    "django.core.handlers.asgi.ASGIHandler": ("django", "asgi"),
    "django.core.handlers.wsgi.WSGIHandler": ("django", "wsgi"),
    "django.core.wsgi.get_wsgi_application": ("django", "wsgi"),
    "falcon.API": ("falcon", "wsgi"),
    "falcon.App": ("falcon", "wsgi"),
    "falcon.asgi.App": ("falcon", "asgi"),
    "fastapi.FastAPI": ("fastapi", "asgi"),
    "fastapi.applications.FastAPI": ("fastapi", "asgi"),
    "flask.Flask": ("flask", "wsgi"),
    "flask.app.Flask": ("flask", "wsgi"),
    "flask_openapi3.OpenAPI": ("flask", "wsgi"),
    "litestar.Litestar": ("litestar", "asgi"),
    "litestar.app.Litestar": ("litestar", "asgi"),
    "quart.Quart": ("quart", "asgi"),
    "quart.app.Quart": ("quart", "asgi"),
    "sanic.Sanic": ("sanic", "asgi"),
    "starlette.applications.Starlette": ("starlette", "asgi"),
}
"""What makes an application: the callable's qualified name, the framework, the interface."""
HOPS_MAX = 4
"""Subclasses of subclasses and factories of factories that are followed."""
_SETTINGS_VARIABLE = "DJANGO_SETTINGS_MODULE"


class _Made(Record):
    """An application as an expression makes it."""

    framework: str
    interface: str


def applications(program: Program) -> tuple[Application, ...]:
    """Every application object or factory of the program, the likeliest first."""
    return _Search(program).ranked()


class _Search:
    def __init__(self, program: Program) -> None:
        self._modules = program.modules
        self._known = _with_packages(program)
        self._scopes = {module.name: Scope(module, self._known) for module in program.modules}
        self._makers = {name: _Made(framework=f, interface=i) for name, (f, i) in FRAMEWORKS.items()}
        for _ in range(HOPS_MAX):
            if not self._learn():
                break
        self._mounted = set[str]()
        for module in self._relevant():
            self._mounted.update(self._mounts(module))
        self._settings = self._settings_module()

    def ranked(self) -> tuple[Application, ...]:
        by_name: dict[tuple[str, str], Candidate] = {}
        for module in self._modules:
            for candidate in self._candidates(module):
                # `app = Middleware(app)` binds the same name again; where it is first made says most.
                by_name.setdefault((module.name, candidate.application.name), candidate)
        found = list(by_name.values())
        prefers_asgi = self._prefers_asgi()
        found.sort(key=lambda candidate: rank(candidate, prefers_asgi=prefers_asgi))
        return tuple(candidate.application for candidate in found)

    def _learn(self) -> bool:
        """Adds subclasses and factories of what is known to make applications; says whether there were any."""
        learnt: dict[str, _Made] = {}
        mentions = _mentions({name.rpartition(".")[2] for name in self._makers})
        for module in self._modules:
            scope = self._scopes[module.name]
            for statement in statements_of(module.body):
                if not isinstance(statement, Class | Function):
                    continue
                name = f"{module.name}.{statement.name}"
                if name in self._makers:
                    continue
                made = (
                    self._base(statement, scope)
                    if isinstance(statement, Class)
                    else self._returned(module, scope, statement, mentions)
                )
                if made is not None:
                    learnt[name] = made
        self._makers |= learnt
        return bool(learnt)

    def _base(self, node: Class, scope: Scope) -> _Made | None:
        bases = (self._made_by(base, scope) for base in node.bases)
        return next((made for made in bases if made is not None), None)

    def _made_by(self, function: Expression | None, scope: Scope) -> _Made | None:
        return self._makers.get(self._settled(scope.qualified(function)))

    def _settled(self, name: str) -> str:
        """The name where something is defined, behind the re-exports on the way."""
        for _ in range(HOPS_MAX):
            if name in self._makers:
                return name
            module, _, last = name.rpartition(".")
            scope = self._scopes.get(module)
            target = scope.qualified(Name(last)) if scope is not None else name
            if target == name:
                return name
            name = target
        return name

    def _value(self, value: Expression | None, scope: Scope) -> _Made | None:
        """The application that a call makes."""
        if isinstance(value, Await):
            value = value.value
        return self._made_by(value.function, scope) if isinstance(value, Call) else None

    def _returned(self, module: Module, scope: Scope, function: Function, mentions: re.Pattern[bytes]) -> _Made | None:
        """What a factory returns, by its annotation or by what its body makes and returns."""
        if function.is_async or function.is_generator:
            return None
        annotated = self._made_by(function.returns, scope)
        if annotated is not None:
            return annotated
        if mentions.search(memoryview(function.body)) is None:
            return None
        body = unpack(function)
        inner = Scope(module, self._known, scope, body)
        local: dict[str, _Made] = {}
        for statement in statements_of(body):
            if isinstance(statement, Assign):
                made = self._value(statement.value, inner)
                for target in statement.targets:
                    if made is not None and isinstance(target, Name):
                        local[target.id] = made
            elif isinstance(statement, Return):
                made = self._value(statement.value, inner)
                if made is None and isinstance(statement.value, Name):
                    made = local.get(statement.value.id)
                if made is not None:
                    return made
        return None

    def _candidates(self, module: Module) -> Iterator[Candidate]:
        if "~" in module.name:
            return
        scope = self._scopes[module.name]
        for statement in _importable(module.body):
            if isinstance(statement, Assign):
                made = self._value(statement.value, scope)
                for target in statement.targets:
                    if made is not None and isinstance(target, Name):
                        yield self._candidate(module, target.id, made, statement.line, is_factory=False)
            elif isinstance(statement, Function) and not any(_is_required(p) for p in statement.parameters):
                made = self._makers.get(f"{module.name}.{statement.name}")
                if made is not None:
                    yield self._candidate(module, statement.name, made, statement.line, is_factory=True)

    def _candidate(self, module: Module, name: str, made: _Made, line: int, *, is_factory: bool) -> Candidate:
        qualified = f"{module.name}.{name}"
        settings = ""
        if made.framework == "django":
            settings = _settings_in(module) or self._settings
        return Candidate(
            application=Application(
                module=module.name.removeprefix(module.prefix),
                name=name,
                interface=made.interface,
                framework=made.framework,
                place=Place(file=module.file, line=line),
                directory=_directory(module),
                is_factory=is_factory,
                settings_module=settings,
            ),
            routes=_uses(module, name),
            is_mounted=qualified in self._mounted,
        )

    def _relevant(self) -> Iterator[Module]:
        """The modules that make an application, or import one."""
        for module in self._modules:
            if any(
                self._settled(name) in self._makers or name.endswith((".Mount", ".app"))
                for name in self._scopes[module.name].imported()
            ):
                yield module

    def _mounts(self, module: Module) -> Iterator[str]:
        """The qualified names of what is mounted under another application."""
        scope = self._scopes[module.name]
        bodies = [module.body, *(body for _, body in functions_of(module))]
        for node in nodes_of(tuple(bodies)):
            if not isinstance(node, Call):
                continue
            function = node.function
            name = function.name if isinstance(function, Attribute) else scope.qualified(function).rpartition(".")[2]
            if name in ("mount", "Mount"):
                for value in [*node.arguments, *(keyword.value for keyword in node.keywords)]:
                    yield self._settled(scope.qualified(value))

    def _settings_module(self) -> str:
        """Django's settings as manage.py names them; the shallowest manage.py wins."""
        managers = [m for m in self._modules if m.file.rpartition("/")[2] == "manage.py"]
        managers.sort(key=lambda module: (module.file.count("/"), module.file))
        return next((found for found in map(_settings_in, managers) if found), "")

    def _prefers_asgi(self) -> bool:
        """Whether a Django project says that it is served by ASGI."""
        return any(
            isinstance(statement, Assign)
            and any(isinstance(target, Name) and target.id == "ASGI_APPLICATION" for target in statement.targets)
            for module in self._modules
            if "settings" in module.name or "config" in module.name
            for statement in module.body
        )


def _mentions(names: set[str]) -> re.Pattern[bytes]:
    """Finds any of the names in a packed body, so that the many bodies that speak of none need no unpacking."""
    return re.compile(b"|".join(re.escape(msgspec.msgpack.encode(name)) for name in sorted(names)))


def _with_packages(program: Program) -> frozenset[str]:
    """The names of all modules, and of the packages above them, whether or not these have a file of their own."""
    names = {module.name for module in program.modules}
    for module in program.modules:
        parts = module.name.split(".")
        names.update(".".join(parts[:length]) for length in range(1, len(parts)))
    return frozenset(names)


def _importable(body: tuple[Statement, ...]) -> Iterator[Statement]:
    """The statements that importing the module runs: not those under `if __name__ == "__main__"`."""
    for statement in body:
        if isinstance(statement, If) and _is_main_guard(statement):
            yield from statements_of(statement.otherwise)
        else:
            yield from statements_of((statement,))


def _is_main_guard(statement: If) -> bool:
    test = statement.test
    return isinstance(test, Compare) and any(
        isinstance(side, Name) and side.id == "__name__" for side in (test.left, test.right)
    )


def _is_required(parameter: Parameter) -> bool:
    return parameter.kind not in ("star", "double_star") and parameter.default is None


def _directory(module: Module) -> str:
    """The folder from which the module is importable."""
    path = module.file.removesuffix("/__init__.py") if module.is_package else module.file.removesuffix(".py")
    relative = module.name.removeprefix(module.prefix).replace(".", "/")
    return path.removesuffix(relative).rstrip("/") or "."


def _settings_in(module: Module) -> str:
    """What a module names as Django's settings in the environment."""
    bodies = [module.body, *(body for _, body in functions_of(module))]
    for node in nodes_of(tuple(bodies)):
        if isinstance(node, Call) and len(node.arguments) == 2:
            variable, value = node.arguments
            if variable == Constant(_SETTINGS_VARIABLE) and isinstance(value, Constant):
                return str(value.value)
    return ""


def _uses(module: Module, name: str) -> int:
    """How often the module's functions and statements use an attribute of the name: routes, routers, handlers."""
    bodies = [module.body, *(body for _, body in functions_of(module))]
    return sum(
        isinstance(node, Attribute) and isinstance(node.value, Name) and node.value.id == name
        for node in nodes_of(tuple(bodies))
    )
