"""The page of examples, from the files that the tests apply. Pure but for reading them."""

from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "examples"


def page() -> str:
    """Each example whole under its name, which is its anchor; what it is about stands in its first lines."""
    parts = [f"## {file.stem}\n\n```yaml\n{file.read_text()}```\n" for file in sorted(FOLDER.glob("*.yaml"))]
    return "\n".join(["# Examples\n\nEach is applied by the tests. `kubectl apply -f examples/NAME.yaml`\n", *parts])
