"""Every error that nines raises on purpose; only the command line and the MCP server catch them."""

from __future__ import annotations

from collections.abc import Sequence

from nines.model.blueprint.problem import Problem


class NinesError(Exception):
    """What failed, where, and what to do next, in words meant for the person who ran nines."""

    def __init__(self, what: str, *, where: str = "", hint: str = "", detail: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint
        self.detail = detail

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        if self.detail:
            text += f"\n{self.detail.rstrip()}"
        if self.hint:
            text += f"\n{self.hint}"
        return text


class UsageError(NinesError):
    """A flag or an argument that cannot be used as given."""


class SettingsError(NinesError):
    """A configuration file that cannot be read or breaks its schema."""


class SourceError(NinesError):
    """Source code, a contract or a page that cannot be read."""


class SignatureError(NinesError):
    """A library signature that breaks the schema of effects/signatures."""


class LaunchError(NinesError):
    """A process (service, database, stub) that does not start or does not become ready."""


class LabError(NinesError):
    """An experiment that could not be carried out, as opposed to one that failed."""


class BlueprintError(NinesError):
    """A blueprint that cannot be read; it holds everything that is wrong with it, not only the first."""

    def __init__(self, problems: Sequence[Problem], *, where: str = "", hint: str = "", hidden: int = 0) -> None:
        count = len(problems) + hidden
        lines = [str(problem) for problem in problems] + ([f"... and {hidden} more"] if hidden else [])
        what = "the blueprint cannot be read" + (f": {count} problems" if count > 1 else "")
        super().__init__(what, where=where, hint=hint, detail="\n".join(lines))
        self.problems = tuple(problems)
