"""The front page: where everything stands, and how it is called."""

from __future__ import annotations

from nines import dossier
from nines.dossier import front
from nines.dossier.chapter import Chapter
from nines.dossier.front import Part
from nines.model.blueprint import Card
from nines.model.design import Design, Document, Gap, Source
from tests.dossier import designs

PLAIN = Design(card=Card(name="shop", purpose="Sells."), source=Source.BLUEPRINT, where="shop.yaml")
CHAPTER = Chapter(number=3, folder="data", title="Data", says="What is stored.")


def document(path: str, title: str = "", text: str = "") -> Document:
    return Document(path=path, title=title, text=text)


def test_a_document_is_called_by_its_title_else_its_heading_else_its_name() -> None:
    assert front.title_of(document("data/schema.sql", "The schema")) == "The schema"
    assert front.title_of(document("data/tables.md", text="# `orders`\n\ntext\n")) == "orders"
    assert front.title_of(document("data/schema.sql", text="# no heading\n")) == "schema.sql"
    assert front.title_of(document("data/steps/one.sql"), within="steps") == "one.sql"


def test_many_files_of_one_folder_stand_together() -> None:
    many = [document(f"data/steps/{number}.sql") for number in range(8)]
    few = [document("data/schema.sql"), document("data/other/one.sql")]
    assert front.grouped([*many, *few]) == [("", few), ("steps", many)]
    assert front.grouped(few) == [("", few)]
    assert front.grouped([]) == []


def test_the_page_says_what_it_is_and_what_is_open() -> None:
    design = Design(
        card=PLAIN.card, source=Source.BLUEPRINT, where="shop.yaml", gaps=(Gap(question="How many?", assumed="50/s"),)
    )
    part = Part(chapter=CHAPTER, documents=(document("data/README.md"), document("data/schema.sql", "The schema")))
    text = front.readme(design, (part,)).text
    assert text.startswith("# shop\n\nSells.\n")
    assert "`shop.yaml`" in text
    assert "- question: How many? Assumed: 50/s." in text
    assert "[Data](data/README.md): What is stored." in text
    assert "[The schema](data/schema.sql)" in text
    assert "[index.html](index.html)" in text


def test_a_recovered_design_does_not_call_its_budgets_kept_or_broken() -> None:
    text = next(each.text for each in dossier.write(designs.recovered()) if each.path == "README.md")
    assert "Recovered from the code of `my_shop`" in text
    assert "Not in the code:" in text
    assert "**No:**" not in text
