"""Generate api/libvf_api/v1alpha1.py from crds/: `python api/generate.py`, or `--check` to see whether it is current.

The CRDs are the source of truth; the Python types follow them by datamodel-code-generator.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).resolve().parent.parent
TARGET = REPOSITORY / "api" / "libvf_api" / "v1alpha1.py"
BOUNDS = (
    *("maxLength", "minLength", "pattern", "minimum", "maximum", "format"),
    *("maxItems", "minItems", "maxProperties", "minProperties"),
)
HEADER = '"""Types of libvf.io/v1alpha1, generated from crds/ by api/generate.py: do not edit."""\n'


def schema() -> dict[str, Any]:
    """One JSON schema with a definition for each kind's spec and status."""
    definitions: dict[str, Any] = {}
    for path in sorted((REPOSITORY / "crds").glob("*s.yaml")):
        crd = yaml.safe_load(path.read_text())
        kind = crd["spec"]["names"]["kind"]
        properties = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
        for part in ("spec", "status"):
            definitions[f"{kind}{part.capitalize()}"] = _plain(properties[part], f"{kind}{part.capitalize()}")
    return {"$schema": "http://json-schema.org/draft-07/schema#", "definitions": definitions}


def generate() -> str:
    """The module's text."""
    with tempfile.TemporaryDirectory() as scratch:
        source, target = Path(scratch, "schema.json"), Path(scratch, "types.py")
        source.write_text(json.dumps(schema()))
        options = [
            *("--input-file-type", "jsonschema", "--output-model-type", "msgspec.Struct"),
            *("--target-python-version", "3.11", "--snake-case-field", "--use-union-operator"),
            *("--use-standard-collections", "--enum-field-as-literal", "all", "--disable-timestamp"),
            *("--use-schema-description", "--use-field-description", "--formatters", "ruff-format"),
        ]
        argv = [sys.executable, "-m", "datamodel_code_generator", "--input", source, "--output", target, *options]
        subprocess.run([str(word) for word in argv], check=True)
        body = target.read_text()
    return HEADER + body[body.index("from __future__") :]


def _plain(node: Any, title: str) -> Any:
    """The schema without what only the API server understands, each object titled by its place."""
    if not isinstance(node, dict):
        return node
    kept = {key: value for key, value in node.items() if not key.startswith("x-kubernetes")}
    for bound in BOUNDS:
        kept.pop(bound, None)  # the API server has checked them already
    if "properties" in kept:
        kept["title"] = title
        kept["properties"] = {key: _plain(value, title + _title(key)) for key, value in kept["properties"].items()}
    if "items" in kept:
        kept["items"] = _plain(kept["items"], title.removesuffix("s"))
    if "additionalProperties" in kept:
        kept["additionalProperties"] = _plain(kept["additionalProperties"], title.removesuffix("s"))
    return kept


def _title(key: str) -> str:
    return key[0].upper() + key[1:]


def main(arguments: list[str]) -> int:
    """Write the module, or with --check compare it; returns an exit code."""
    text = generate()
    if "--check" in arguments:
        return 0 if TARGET.read_text() == text else 1
    TARGET.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
