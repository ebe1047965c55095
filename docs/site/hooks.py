"""What mkdocs is told beyond mkdocs.yml: the reference is made anew with each build."""

import sys
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

sys.path.insert(0, str(Path(__file__).parent))

import reference


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for each kind."""
    for name, text in reference.pages().items():
        files.append(File.generated(config, f"reference/{name}", content=text))
    return files
