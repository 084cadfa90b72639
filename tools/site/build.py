"""Builds the site into a folder: python tools/site/build.py build/site. Needs the dependency group `site`."""

from __future__ import annotations

import importlib.util
import shutil
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
_NEEDED = ("sphinx", "myst_parser", "furo")


def main(arguments: list[str]) -> int:
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing or len(arguments) != 1:
        print(f"missing: {', '.join(missing)}; install the group `site`" if missing else __doc__, file=sys.stderr)
        return 2
    from sphinx.cmd.build import build_main  # noqa: PLC0415 -- told above where it is missing

    sys.path.insert(0, str(HERE))
    collect = importlib.import_module("collect").collect
    target = Path(arguments[0])
    with tempfile.TemporaryDirectory(prefix="nines-site-") as folder:
        pages = collect(Path(folder) / "pages")
        # Every warning is an error: a link that leads nowhere must not be published.
        options = ["-q", "-W", "--keep-going", "-b", "html", "-c", str(HERE), "-d", f"{folder}/doctrees"]
        shutil.rmtree(target, ignore_errors=True)
        code = build_main([*options, f"{folder}/pages", str(target)])
    if code == 0:
        print(f"{len(pages)} pages: {target / 'index.html'}")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
