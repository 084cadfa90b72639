"""Sphinx's settings of the site; `collect` makes the pages that it reads."""

from nines import __version__

project = "nines"
author = "The founders of nines"
release = __version__
extensions = ["myst_parser"]
myst_enable_extensions = ["attrs_inline"]
myst_heading_anchors = 3
html_theme = "furo"
html_title = f"nines {__version__}"
html_static_path = ["own"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_last_updated_fmt = None
html_theme_options = {
    "light_css_variables": {
        "color-brand-primary": "#0b5cad",
        "color-brand-content": "#0b5cad",
        "color-brand-visited": "#5b4b9e",
    },
    "dark_css_variables": {
        "color-brand-primary": "#7ab4f5",
        "color-brand-content": "#7ab4f5",
        "color-brand-visited": "#b9a7f0",
    },
}
pygments_style = "default"
pygments_dark_style = "github-dark"
# A marked line of an example (`# <- what is reported`) or a file with an error in it is no program.
suppress_warnings = ["misc.highlighting_failure"]
