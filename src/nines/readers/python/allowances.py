"""The comments `# nines: allow RULE[, RULE] -- why`."""

from __future__ import annotations

import io
import re
import tokenize

from nines.model.code import Allowance
from nines.readers.python.expressions import storable

MARK = b"nines: allow"
"""A file without these bytes has no allowance and is not tokenised."""
ALLOWANCES_MAX = 10_000
_COMMENT = re.compile(r"#\s*nines:\s*allow\b[ \t:]*(?P<rules>[^#]*?)(?:\s+(?:--|\u2014|\u2013)\s*(?P<reason>.*?))?\s*$")
_RULE = re.compile(r"[A-Za-z0-9_*./-]+")
_LAYOUT = frozenset({tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING})


def allowances_of(source: bytes) -> tuple[Allowance, ...]:
    """Every allowance of a file that parses; one without a reason is kept with reason ""."""
    if MARK not in source:
        return ()
    try:
        tokens = list(tokenize.tokenize(io.BytesIO(source).readline))
    except (tokenize.TokenError, SyntaxError, UnicodeDecodeError):
        return ()
    return tuple(_Reading(tokens).allowances()[:ALLOWANCES_MAX])


class _Reading:
    """Where statements begin and end among the tokens of one file."""

    def __init__(self, tokens: list[tokenize.TokenInfo]) -> None:
        self._tokens = tokens
        self._code_lines: list[int] = []
        """The first line of every logical line, ascending."""
        self._start_of: dict[int, int] = {}
        """For the last line of a logical line that holds brackets only: where that logical line began."""
        self._scan()

    def _scan(self) -> None:
        start = 0
        line_texts: dict[int, str] = {}
        for token in self._tokens:
            if token.type in _LAYOUT or token.type in (tokenize.COMMENT, tokenize.ENDMARKER):
                if token.type == tokenize.NEWLINE:
                    line = token.start[0]
                    if start and line > start and not line_texts.get(line, "").strip("()[]{},: "):
                        self._start_of[line] = start
                    start, line_texts = 0, {}
                continue
            if not start:
                start = token.start[0]
                self._code_lines.append(start)
            line_texts[token.start[0]] = line_texts.get(token.start[0], "") + token.string

    def allowances(self) -> list[Allowance]:
        found = []
        for token in self._tokens:
            if token.type != tokenize.COMMENT:
                continue
            match = _COMMENT.match(token.string)
            if match is None:
                continue
            rules = tuple(_RULE.findall(match["rules"]))
            reason = storable((match["reason"] or "").strip())
            found.append(Allowance(rules, reason, token.start[0], self._covers(token)))
        return found

    def _covers(self, comment: tokenize.TokenInfo) -> int:
        line = comment.start[0]
        if comment.line[: comment.start[1]].strip():
            return self._start_of.get(line, line)
        if not self._code_lines or line < self._code_lines[0]:
            return 0
        return next((start for start in self._code_lines if start > line), line)
