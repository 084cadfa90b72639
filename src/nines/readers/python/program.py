"""Reads every Python file of a project."""

from __future__ import annotations

from pathlib import Path

from nines.model.code import Module, Program, Unread
from nines.readers.python.cache import Cache, digest_of
from nines.readers.python.facts import Facts, decode, encode, quiet
from nines.readers.python.files import FILE_BYTES_MAX, find
from nines.readers.python.key import user_key
from nines.readers.python.named_statements import named_statements
from nines.readers.python.names import name_all
from nines.readers.python.parallel import facts_of_all


def read(
    root: Path,
    *,
    paths: tuple[str, ...] = (".",),
    exclude: tuple[str, ...] = (),
    cache: Path | None = None,
    jobs: int = 0,
) -> Program:
    """The facts of every file below `paths`; what cannot be read is in `unread`, with the reason.

    `cache` is a folder of nines' own; `jobs` 0 means as many processes as pay."""
    found = find(root, paths, exclude)
    unread = list(found.unread)
    facts: dict[str, Facts] = {}
    missing: dict[str, bytes] = {}
    digests: dict[str, bytes] = {}
    key = user_key() if cache is not None else None
    store = Cache(cache, root, key) if cache is not None and key is not None else None
    with quiet():
        for file in found.files:
            source = _bytes_of(root / file)
            if isinstance(source, str):
                unread.append(Unread(file=file, reason=source, hint="Make it readable, or exclude it."))
                continue
            known = None
            if store is not None:
                digests[file] = digest_of(source)
                blob = store.get(digests[file])
                known = decode(blob) if blob is not None else None
            if known is None:
                missing[file] = source
            else:
                facts[file] = known
        fresh = dict(zip(missing, facts_of_all(list(missing.values()), jobs), strict=True))
        if store is not None:
            new = {digests[file]: encode(found) for file, found in fresh.items()}
            store.store(new, frozenset(digests.values()))
    ordered = {file: fresh.get(file) or facts[file] for file in found.files if file in fresh or file in facts}
    return _program(root, ordered, unread, len(fresh))


def _bytes_of(path: Path) -> bytes | str:
    """The file's content, or why there is none."""
    try:
        with path.open("rb") as stream:
            source = stream.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        return f"it cannot be opened: {error.strerror}"
    return source if len(source) <= FILE_BYTES_MAX else f"it grew beyond {FILE_BYTES_MAX:,} bytes while it was read"


def _program(root: Path, facts: dict[str, Facts], unread: list[Unread], parsed: int) -> Program:
    readable = {file: found for file, found in facts.items() if not found.reason}
    unread += [
        Unread(file=file, reason=found.reason, line=found.reason_line, hint=found.hint)
        for file, found in facts.items()
        if found.reason
    ]
    names = name_all({file: found.imports for file, found in readable.items()})
    modules = tuple(
        Module(
            names[file].name,
            file,
            file.rpartition("/")[2] == "__init__.py",
            found.body,
            found.lines,
            found.allowances,
            prefix=names[file].prefix,
        )
        for file, found in readable.items()
    )
    return Program(
        root=str(root),
        modules=modules,
        unread=tuple(sorted(unread, key=lambda item: (item.file, item.line))),
        lines=sum(module.lines for module in modules),
        parsed=parsed,
        statements=named_statements(root, modules),
    )
