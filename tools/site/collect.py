"""Collects the site's pages from where they are written: the package's own pages, docs/ and the files beside the code.

Nothing is written for the site alone but its first page: a page that stands in two places is wrong in one of them."""

from __future__ import annotations

import posixpath
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from nines import patterns
from nines.model.pattern import Pattern, PatternTopic
from nines.readers.blueprint import vocabulary
from nines.verbs import explain, explained
from nines.verbs.explain import Kind, Topic

ROOT = Path(__file__).resolve().parents[2]
_TOPICS = {
    PatternTopic.CALLS: "Calling others",
    PatternTopic.LOAD: "More than there is room for",
    PatternTopic.CONSISTENCY: "Keeping data right",
    PatternTopic.MESSAGES: "Work and news",
    PatternTopic.DATABASE: "The database",
    PatternTopic.INTERFACE: "What callers see",
    PatternTopic.SECURITY: "Security",
    PatternTopic.DELIVERY: "Changing it in use",
    PatternTopic.OPERATION: "Seeing, proving, recovering",
}
_FENCE = re.compile(r"^(`{3,})[ \t]*([\w-]*)[ \t]*(.*)$", re.MULTILINE)
_CODE = re.compile(r"`([a-z0-9][a-z0-9/.-]*)`")
_LINK = re.compile(r"(\]\()(?![a-z]+:|#)([^)\s#]+)(#[^)\s]*)?(\))")
_PLAIN = {"observed": "seen on the wire", "holds": "holds", "broken": "broken", "unknown": "unknown"}
"""Fences that are no programming language; what they mean stands above them."""
_OTHERS = {
    "README.md": "start.md",
    "ARCHITECTURE.md": "architecture.md",
    "CONTRIBUTING.md": "contributing.md",
    "docs/field-notes.md": "field-notes.md",
}
_FILES = "files"
_ELSEWHERE = (Kind.OBJECTION, Kind.GUIDE)
"""All objections stand on one page, and guides are taken from their files."""
_NOWHERE = "nowhere"
_REFERENCE = ("Blueprint <blueprint>", "objections", "schemas", "architecture", "contributing", "field-notes")
_PATTERNS = """\
What a backend reliability engineer recommends: the problem, when not to, options with their trade-offs, an example that
runs in the tests of nines, the sources, and what of nines finds its absence or proves its presence."""
_TEXTS = {"LICENSE", "examples", "docs", "tools", "src", "benchmarks", "runtime"}
"""Where links may lead that the site does not have: they become plain text."""


def collect(folder: Path) -> tuple[Path, ...]:
    """Writes every page below an empty folder, and returns them; `explained.site_path` knows where each is."""
    shutil.rmtree(folder, ignore_errors=True)
    pages = dict(_pages())
    for name, text in pages.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    schemas = folder / _FILES
    schemas.mkdir(parents=True)
    for schema in sorted((ROOT / "docs" / "schemas").glob("*.json")):
        shutil.copy(schema, schemas / schema.name)
    return tuple(folder / name for name in pages)


def _pages() -> Iterator[tuple[str, str]]:
    topics = explain.topics()
    known = {topic.id: explained.site_path(topic) for topic in topics}
    short = {id.rsplit("/", 1)[-1]: path for id, path in known.items() if "/" in id}
    places = {**short, **known}
    moved = _moved(topics)
    for topic in topics:
        if topic.kind not in _ELSEWHERE:
            yield _source(known[topic.id]), _topic_page(topic, places)
    yield from _patterns_pages()
    for kind, title, lead in (
        (Kind.RULE, "Rules", "What `nines review` looks for in code, and `nines prove` in what it sees on the wire."),
        (Kind.EXPERIMENT, "Experiments", "What `nines prove` tries on the running service, and how it judges."),
    ):
        yield f"{kind}s/index.md", _index(title, lead, [topic for topic in topics if topic.kind is kind])
    yield "objections.md", _objections([topic for topic in topics if topic.kind is Kind.OBJECTION])
    yield "blueprint.md", vocabulary()
    guides = sorted((ROOT / "docs" / "guides").glob("*.md"))
    for guide in guides:
        yield (
            f"guides/{guide.name}",
            _moved_links(guide.read_text(encoding="utf-8"), f"docs/guides/{guide.name}", moved),
        )
    yield "guides/index.md", _guides(guides)
    for source, target in _OTHERS.items():
        text = _moved_links((ROOT / source).read_text(encoding="utf-8"), source, moved)
        yield target, text.replace("# nines\n", "# Start\n", 1)
    yield "schemas.md", _schemas()
    yield "index.md", _first(topics)


def _moved(topics: Iterable[Topic]) -> Mapping[str, str]:
    """Where each file of the repository stands in the site."""
    found = dict(_OTHERS) | {"docs/blueprint.md": "blueprint.md", "docs/objections.md": "objections.md"}
    for topic in topics:
        if topic.kind not in _ELSEWHERE:
            name = topic.id if topic.kind is Kind.PATTERN else topic.id.replace("-", "_")
            found[f"src/nines/{topic.kind}s/{name}.md"] = _source(explained.site_path(topic))
    for guide in (ROOT / "docs" / "guides").glob("*.md"):
        found[f"docs/guides/{guide.name}"] = f"guides/{guide.name}"
    for schema in (ROOT / "docs" / "schemas").glob("*.json"):
        found[f"docs/schemas/{schema.name}"] = f"{_FILES}/{schema.name}"
    return found


def _source(path: str) -> str:
    return path.removesuffix(".html") + ".md"


def _topic_page(topic: Topic, places: Mapping[str, str]) -> str:
    here = explained.site_path(topic)
    text = _FENCE.sub(_fence, explained.page(topic))
    head, _, rest = text.partition("\n")
    return f"{head}\n\n{_kind(topic)}\n{_linked(rest, here, places)}"


def _kind(topic: Topic) -> str:
    return f"[{topic.kind.capitalize()} `{topic.id}`]{{.kind}}"


def _fence(match: re.Match[str]) -> str:
    """A caption instead of words that only the tests read."""
    ticks, language, words = match[1], match[2], match[3].strip()
    if not language:
        return match[0]
    caption = words if language not in _PLAIN else f"{_PLAIN[language]}: {words}".rstrip(": ")
    lexer = "text" if language in _PLAIN else language
    if not caption or caption == "postgres":
        return f"{ticks}{lexer}"
    return f"{ticks}{{code-block}} {lexer}\n:caption: {caption}\n"


def _linked(text: str, here: str, places: Mapping[str, str]) -> str:
    """Ids in backticks, outside of code, become links."""

    def link(match: re.Match[str]) -> str:
        place = places.get(match[1])
        if place is None or place == here:
            return match[0]
        return f"[`{match[1]}`]({_relative(_with_source(place), here)})"

    parts = re.split(r"(^(`{3,}).*?^\2\s*$)", text, flags=re.MULTILINE | re.DOTALL)
    # The expression has two groups, so that each third part is text, and the one after it a block of code.
    return "".join(_CODE.sub(link, part) if n % 3 == 0 else part for n, part in enumerate(parts) if n % 3 != 2)


def _with_source(place: str) -> str:
    path, hash_, anchor = place.partition("#")
    return f"{_source(path)}{hash_}{anchor}"


def _relative(target: str, here: str) -> str:
    return posixpath.relpath(target, posixpath.dirname(here) or ".")


def _moved_links(text: str, source: str, moved: Mapping[str, str]) -> str:
    """Links between files of the repository as links between pages; what the site lacks loses its link."""

    def link(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), match[2]))
        if target in moved:
            return f"{match[1]}{_relative(moved[target], moved[source])}{match[3] or ''}{match[4]}"
        if target.split("/")[0] in _TEXTS:
            return f"]({_NOWHERE})"
        raise ValueError(f"{source}: the link to {match[2]} leads nowhere")

    text = _LINK.sub(link, text)
    return re.sub(rf"\[([^\]]+)\]\({_NOWHERE}\)", r"\1", text)


def _patterns_pages() -> Iterator[tuple[str, str]]:
    """One page for all, and one for each topic, so that the navigation shows nine titles and not sixty."""
    by_topic: dict[PatternTopic, list[Pattern]] = {}
    for pattern in patterns.discover():
        by_topic.setdefault(pattern.topic, []).append(pattern)
    lines = ["# Patterns", "", _PATTERNS, ""]
    for topic, found in by_topic.items():
        listed = [f"- [{pattern.title}]({pattern.id}.md): {pattern.summary}" for pattern in found]
        lines += [f"## {_TOPICS[topic]}", "", *listed, ""]
        tree = _tree("", [pattern.id for pattern in found])
        yield f"patterns/about-{topic}.md", "\n".join([f"# {_TOPICS[topic]}", "", *listed, "", *tree])
    yield "patterns/index.md", "\n".join([*lines, *_tree("", [f"about-{topic}" for topic in by_topic])])


def _index(title: str, lead: str, topics: Iterable[Topic]) -> str:
    lines = [f"# {title}", "", lead, ""]
    folders: dict[str, list[Topic]] = {}
    for topic in topics:
        folders.setdefault(topic.id.split("/")[0], []).append(topic)
    for folder, found in sorted(folders.items()):
        lines += [f"## {folder.capitalize()}", ""]
        lines += [f"- [{topic.title}]({topic.id}.md): {topic.summary}" for topic in found]
        lines += ["", *_tree(folder.capitalize(), [topic.id for topic in found])]
    return "\n".join(lines) + "\n"


def _objections(topics: Iterable[Topic]) -> str:
    lines = [
        "# Objections",
        "",
        "What speaks against a blueprint. `nines design` reads it, reckons, and refuses what cannot hold; each",
    ]
    lines += ["objection names its place, shows its arithmetic, and offers two ways out or more.", ""]
    for topic in topics:
        lines += [f"({topic.id})=", f"## {topic.title}", "", _kind(topic), ""]
        if topic.links:
            answers = ", ".join(f"[{link.title}](patterns/{link.id}.md)" for link in topic.links)
            lines += [f"What answers it: {answers}", ""]
    return "\n".join(lines)


def _guides(guides: Iterable[Path]) -> str:
    titles = [(guide, guide.read_text(encoding="utf-8").split("\n", 1)[0].removeprefix("# ")) for guide in guides]
    lines = [
        "# Guides",
        "",
        "Questions as people ask them, with the commands that answer them and what those said.",
        "",
    ]
    lines += [f"- [{title}]({guide.name})" for guide, title in titles]
    return "\n".join([*lines, "", *_tree("", [guide.stem for guide, _ in titles])])


def _schemas() -> str:
    lines = ["# Schemas", "", "Stable interfaces, as JSON Schema 2020-12.", ""]
    says = {"report": "what `--format json` writes", "blueprint": "what `nines design` reads"}
    for schema in sorted((ROOT / "docs" / "schemas").glob("*.json")):
        name = schema.stem.rsplit("-", 1)[0]
        lines.append(f"- {{download}}`{schema.name} <{_FILES}/{schema.name}>`: {says.get(name, name)}")
    return "\n".join(lines) + "\n"


def _first(topics: Iterable[Topic]) -> str:
    count = {kind: sum(topic.kind is kind for topic in topics) for kind in Kind}
    return f"""# nines

A backend reliability engineer that you can install. Point it at a backend and it answers, with evidence, the question
that a senior engineer is asked before every launch: *will this hold?*

- [Start](start.md): what it does and how to begin
- [Guides](guides/index.md): six questions, answered with commands and measured figures
- [Patterns](patterns/index.md): {count[Kind.PATTERN]} pages on what to do, when not to, and how to tell that it holds
- [Rules](rules/index.md): the {count[Kind.RULE]} defects that are looked for
- [Experiments](experiments/index.md): the {count[Kind.EXPERIMENT]} claims that are tried on the running service
- [Objections](objections.md): {count[Kind.OBJECTION]} reasons to refuse a blueprint
- [Blueprint](blueprint.md): every word of it

The same pages open in the terminal with `nines explain NAME`.

{chr(10).join(_tree("", ["Start <start>", "guides/index", "patterns/index", "rules/index", "experiments/index"]))}
{chr(10).join(_tree("Reference", _REFERENCE))}
"""


def _tree(caption: str, names: Iterable[str]) -> list[str]:
    head = [f":caption: {caption}"] if caption else []
    return ["```{toctree}", ":hidden:", *head, "", *names, "```", ""]
