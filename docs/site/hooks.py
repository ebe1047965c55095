"""What mkdocs is told beyond mkdocs.yml: the reference and the examples are made anew with each build."""

import re
import sys
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

sys.path.insert(0, str(Path(__file__).parent))

import example_page
import reference

_TO_EXAMPLE = re.compile(r"\]\(\.\./examples/([a-z-]+)\.yaml\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for each kind, and one with all examples."""
    for name, text in reference.pages().items():
        files.append(File.generated(config, f"reference/{name}", content=text))
    files.append(File.generated(config, "examples.md", content=example_page.page()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """A link to an example's file, right where the repository is read, leads to its place on the page of examples."""
    return _TO_EXAMPLE.sub(r"](examples.md#\1)", markdown)
