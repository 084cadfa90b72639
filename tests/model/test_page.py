"""Pages: sections, fences, options."""

from __future__ import annotations

import pytest

from nines.model import page
from nines.model.errors import SourceError

TEXT = """# A title

A lead.

## Bad

```python app/a.py
x = 1  # <- message
# # not a heading
```

## Options

- **First.** Costs little.
- **Second** costs
  more.
"""


def test_parses_sections_examples_and_options() -> None:
    parsed = page.parse(TEXT, "p")
    assert parsed.title == "A title"
    assert parsed.lead == "A lead."
    assert [(e.language, e.attributes, e.section) for e in parsed.examples] == [("python", "app/a.py", "Bad")]
    assert parsed.examples[0].text == "x = 1  # <- message\n# # not a heading\n"
    assert [(o.title, o.trade_off) for o in parsed.options] == [
        ("First", "Costs little"),
        ("Second", "costs more."),
    ]


@pytest.mark.parametrize("text", ["no title", "# t\n```python\nnever closed"])
def test_a_broken_page_is_one_clear_error(text: str) -> None:
    with pytest.raises(SourceError):
        page.parse(text, "p")
