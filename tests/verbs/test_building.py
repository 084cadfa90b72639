"""A service that is built, built again, changed, and given up: what is written, kept, refused and told."""

from __future__ import annotations

import json
import posixpath
import re
import shutil
from pathlib import Path

import msgspec
import pytest

from nines.model.errors import SettingsError, UsageError
from nines.verbs import placing
from nines.verbs.build import Wish, build
from nines.verbs.handover import SERVICE, read_lock
from tests.verbs.services import NOTES, TODAY, held, written

_TITLE = "title: {type: string, max: 200}"


def with_pages(field: str) -> str:
    return NOTES.replace(_TITLE, f"{_TITLE}\n      pages: {field}")


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built") / "notes"
    written(folder)
    return folder


@pytest.fixture
def notes(first: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(first, tmp_path / "notes"))


def test_a_second_build_changes_no_byte(notes: Path) -> None:
    before = held(notes)
    again = written(notes)
    assert again.comparison is not None
    assert again.comparison.is_current
    assert held(notes) == before
    assert (again.changes, again.migrations) == ((), ())


def test_the_same_bytes_wherever_the_blueprint_stands_and_whatever_it_is_called(first: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere.yaml"
    other.write_text(NOTES)
    build(other, tmp_path / "service", Wish(), today=TODAY)
    assert held(tmp_path / "service") == held(first)


def test_the_lock_knows_every_generated_file_and_the_owners_by_name(first: Path) -> None:
    lock = read_lock(first, SERVICE)
    found = set(held(first))
    assert set(lock.files) | set(lock.owned) | {"nines.lock"} == found
    assert not set(lock.files) & set(lock.owned)
    assert {"README.md", "pyproject.toml", "Dockerfile", "src/notes/settings.py"} <= set(lock.owned)
    assert {"Makefile", "nines.toml", "openapi.yaml", "src/notes/_generated/settings.py"} <= set(lock.files)
    assert lock.generator.startswith("nines ")


def test_the_owners_files_are_never_touched_again(notes: Path) -> None:
    owned = read_lock(notes, SERVICE).owned
    for path in owned:
        (notes / path).write_text("# mine\n")
    written(notes, with_pages("{type: int32, default: 0}"), force=True)
    assert {path: (notes / path).read_text() for path in owned} == dict.fromkeys(owned, "# mine\n")


def test_an_edited_generated_file_is_refused_with_what_would_be_lost(notes: Path) -> None:
    path = notes / "src/notes/_generated/settings.py"
    path.write_text(path.read_text() + "MINE = 1\n")
    before = held(notes)
    with pytest.raises(UsageError) as caught:
        written(notes)
    assert "src/notes/_generated/settings.py: 1 line would be lost: MINE = 1" in caught.value.detail
    assert held(notes) == before
    written(notes, force=True)
    assert "MINE" not in path.read_text()


def test_a_check_writes_nothing_and_tells_what_is_out_of_date(notes: Path) -> None:
    (notes / "Makefile").unlink()
    before = held(notes)
    found = build(notes / "blueprint.yaml", notes, Wish(check=True), today=TODAY).comparison
    assert found is not None
    assert (found.is_current, found.new) == (False, ("Makefile",))
    assert held(notes) == before


def test_a_blueprint_that_was_changed_in_the_service_is_not_overwritten_by_another(notes: Path, tmp_path: Path) -> None:
    (notes / "blueprint.yaml").write_text(NOTES + "# mine\n")
    other = tmp_path / "other.yaml"
    other.write_text(NOTES)
    with pytest.raises(UsageError, match=r"1 file would be overwritten"):
        build(other, notes, Wish(), today=TODAY)


def test_links_of_the_dossier_lead_to_where_things_stand(first: Path) -> None:
    pages = [path for path in first.rglob("*.md") if path.name != "README.md" or path.parent != first]
    assert len(pages) > 20
    for page in pages:
        for match in re.finditer(r"\]\(([^()\s#:]+)(?:#[^()\s]*)?\)", page.read_text()):
            assert (page.parent / match[1]).exists(), f"{page.relative_to(first)}: {match[0]}"


def test_each_document_of_the_dossier_stands_once(first: Path) -> None:
    assert placing.placed("operation/runbooks/X.md") == "ops/runbooks/X.md"
    assert placing.placed("operation/README.md") == "dossier/operation/README.md"
    rules = (first / "ops/alerts/rules.yaml").read_text()
    runbooks = re.findall(r"runbook: (\S+)", rules)
    assert runbooks
    assert all((first / path).is_file() for path in runbooks)
    compose = (first / "deploy/compose.yaml").read_text()
    assert posixpath.normpath("deploy/..") == "."
    assert "build: {context: .., dockerfile: Dockerfile}\n" in compose


def test_the_contract_is_served_as_it_is_written(first: Path) -> None:
    served = json.loads((first / "src/notes/_generated/openapi.json").read_text())
    assert served == msgspec.yaml.decode((first / "openapi.yaml").read_bytes())


# --- changes -------------------------------------------------------------------------------------------


def test_a_new_field_becomes_a_migration_and_is_told(notes: Path) -> None:
    kept = (notes / "migrations/0001_first.sql").read_bytes()
    built = written(notes, with_pages("{type: int32, default: 0}"))
    assert [each.name for each in built.migrations][:1] == ["0002_add_notes_pages"]
    assert "ADD COLUMN pages" in (notes / "migrations/0002_add_notes_pages.sql").read_text()
    assert (notes / "migrations/0001_first.sql").read_bytes() == kept
    assert built.changes
    assert not any(each.is_breaking for each in built.changes)
    assert "pages" in (notes / "CHANGES.md").read_text()
    assert written(notes, with_pages("{type: int32, default: 0}")).migrations == ()


def test_rows_that_exist_need_a_value_and_the_ways_to_name_one_are_told(notes: Path) -> None:
    text = with_pages("{type: int32}")
    before = held(notes)
    with pytest.raises(UsageError, match=r"no value for notes\.pages") as caught:
        written(notes, text, accept_breaking=True)
    assert "--fill" in caught.value.hint
    assert {k: v for k, v in held(notes).items() if k != "blueprint.yaml"} == {
        k: v for k, v in before.items() if k != "blueprint.yaml"
    }
    (notes / "migrations/changes.yaml").write_text('fills: {notes.pages: "1"}\n')
    assert written(notes, text, accept_breaking=True).migrations


def test_a_renamed_column_keeps_its_values(notes: Path) -> None:
    text = NOTES.replace("title:", "heading:")
    built = written(notes, text, accept_breaking=True, renames={"notes.title": "heading"})
    names = " ".join(each.name for each in built.migrations)
    assert "follow_notes_title_to_heading" in names
    assert "copy_notes_title_to_heading" in names


def test_a_rename_of_nothing_is_refused_with_the_nearest_name(notes: Path) -> None:
    with pytest.raises(UsageError, match=r"no column notes\.titel") as caught:
        written(notes, NOTES.replace("title:", "heading:"), accept_breaking=True, renames={"notes.titel": "heading"})
    assert "notes.title" in caught.value.hint


def test_what_breaks_callers_is_refused_until_it_is_accepted_and_then_written_down(notes: Path) -> None:
    text = NOTES.replace("  getNote: {on: Note, do: read, roles: [writer]}\n", "")
    before = held(notes)
    with pytest.raises(UsageError, match="would break") as caught:
        written(notes, text)
    assert "GET /v1/notes/{note_id}" in caught.value.detail
    assert "deprecated" in caught.value.hint
    assert held(notes)["openapi.yaml"] == before["openapi.yaml"]
    built = written(notes, text, accept_breaking=True)
    assert any(each.is_breaking for each in built.changes)
    changes = (notes / "CHANGES.md").read_text()
    assert "2030-01-31: breaks callers" in changes
    assert "GET /v1/notes/{note_id}" in changes


@pytest.mark.parametrize(("sunset", "is_announced"), [("2030-01-30", True), ("2030-02-28", False)])
def test_an_operation_may_go_when_its_sunset_was_told_and_is_over(
    notes: Path, sunset: str, *, is_announced: bool
) -> None:
    get = "  listNotes: {on: Note, do: list, roles: [writer]}\n"
    ending = f"roles: [writer], deprecated: {{since: 2029-06-01, sunset: {sunset}}}}}"
    written(notes, NOTES.replace(get, get.replace("roles: [writer]}", ending)))
    assert f"x-sunset: '{sunset}'" in (notes / "openapi.yaml").read_text()
    if is_announced:
        written(notes, NOTES.replace(get, ""))
    else:
        with pytest.raises(UsageError, match="would break"):
            written(notes, NOTES.replace(get, ""))


def test_the_newest_change_stands_first_and_what_the_owner_wrote_there_stays(notes: Path) -> None:
    written(notes, with_pages("{type: int32, default: 0}"))
    path = notes / "CHANGES.md"
    path.write_text(path.read_text().replace("## 2030", "A word of ours.\n\n## 2030"))
    more = with_pages("{type: int32, default: 0}\n      lines: {type: int32, optional: true}")
    written(notes, more)
    text = path.read_text()
    assert "A word of ours." in text
    assert text.index("lines") < text.index("pages")


def test_migrations_without_their_tables_are_not_guessed(notes: Path) -> None:
    (notes / "migrations/tables.json").unlink()
    with pytest.raises(UsageError, match=r"tables\.json does not"):
        written(notes)


@pytest.mark.parametrize("text", ["renames: [1]", "other: {}", "\x00"])
def test_a_file_of_changes_that_cannot_be_used_is_one_clear_error(notes: Path, text: str) -> None:
    (notes / "migrations/changes.yaml").write_text(text)
    with pytest.raises(SettingsError, match="renames and fills") as caught:
        written(notes)
    assert "changes.yaml" in caught.value.where


def test_a_service_of_another_name_is_not_written_over_the_one_that_stands(notes: Path) -> None:
    """What the owner wrote imports the package by its name."""
    before = held(notes)
    renamed = (notes / "blueprint.yaml").read_text().replace("name: notes", "name: jottings")
    elsewhere = notes.parent / "jottings.yaml"
    elsewhere.write_text(renamed)
    with pytest.raises(UsageError, match=r"stands here is src/notes, and by the blueprint it would be src/jottings"):
        build(elsewhere, notes, Wish(force=True, accept_breaking=True), today=TODAY)
    assert held(notes) == before


def test_events_that_are_told_no_longer_are_still_delivered(notes: Path) -> None:
    """What became of a row of the outbox is no question to ask of the owner: it was true when it was written."""
    telling = (
        (notes / "blueprint.yaml")
        .read_text()
        .replace("idempotency: required}", "idempotency: required, emits: note.made}")
    )
    both = telling.replace(
        "  getNote:", "  closeNote: {on: Note, do: update, roles: [writer], emits: note.changed}\n  getNote:"
    )
    written(notes, f"{both}events: {{note.made: {{version: 1}}, note.changed: {{version: 1}}}}\n")
    less = f"{telling}events: {{note.made: {{version: 1}}}}\n"
    built = written(notes, less, accept_breaking=True)
    assert not [each for each in built.migrations if "outbox" in each.name]
    tables = msgspec.json.decode((notes / "migrations/tables.json").read_bytes())
    outbox = next(each for each in tables if each["name"] == "outbox")
    held_events = next(each["expression"] for each in outbox["checks"] if each["name"] == "outbox_event_check")
    assert held_events == "event IN ('note.changed', 'note.made')"
    assert not written(notes, less).migrations
