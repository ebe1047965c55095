"""The site's reference, made from the CRDs: what is said of a field is what `kubectl explain` says of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CRDS = Path(__file__).resolve().parents[2] / "crds"
Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """The fields of one object: `path` as in `kubectl explain`."""

    path: str
    schema: Schema


def pages() -> dict[str, str]:
    """The text of each page by its file name."""
    crds = [yaml.safe_load(path.read_text()) for path in sorted(CRDS.glob("*s.yaml"))]
    return {f"{crd['spec']['names']['singular']}.md": page(crd) for crd in crds}


def page(crd: Schema) -> str:
    """One kind: a table for each object in it, and what the API server refuses beyond the types."""
    names, version = crd["spec"]["names"], crd["spec"]["versions"][0]
    schema = version["schema"]["openAPIV3Schema"]
    lines = [
        f"# {names['kind']}",
        "",
        schema["description"],
        "",
        f"`apiVersion: {crd['spec']['group']}/{version['name']}`, {crd['spec']['scope'].lower()};"
        f" `kubectl get {', '.join(names.get('shortNames', []))}`.",
    ]
    for part in ("spec", "status"):
        for table in _tables(Table(part, schema["properties"][part])):
            lines += ["", *_table(table)]
    return "\n".join(lines) + "\n"


def _tables(table: Table) -> Iterator[Table]:
    """This object, then those in it."""
    yield table
    for name, field in table.schema.get("properties", {}).items():
        inner = field.get("items", field)
        if inner.get("properties"):
            brackets = "[]" if "items" in field else ""
            yield from _tables(Table(f"{table.path}.{name}{brackets}", inner))


def _table(table: Table) -> Iterator[str]:
    yield f"## {table.path}"
    yield ""
    if description := table.schema.get("description"):
        yield description
        yield ""
    required = table.schema.get("required", [])
    yield "| field | type | what it is |"
    yield "|---|---|---|"
    for name, field in table.schema["properties"].items():
        mark = ", required" if name in required else ""
        yield f"| `{name}` | {_type(field)}{mark} | {_words(field)} |"
    rules = table.schema.get("x-kubernetes-validations", [])
    if rules:
        yield ""
        yield "Refused otherwise:"
        yield ""
        yield from (f"- {_plain(rule['message'])}" for rule in rules)


def _type(field: Schema) -> str:
    if field.get("x-kubernetes-int-or-string"):
        return "quantity"
    if "items" in field:
        inner = field["items"]
        return f"list of {_type(inner)}s" if not inner.get("properties") else "list"
    return str(field.get("format") if field.get("format") == "date-time" else field["type"])


def _words(field: Schema) -> str:
    described = _plain(field.get("description", "")).replace("|", "\\|").strip()
    inner = field.get("items", field)
    values = f" One of {', '.join(f'`{value}`' for value in inner['enum'])}." if "enum" in inner else ""
    bounds = [f"{word} {inner[key]}" for key, word in (("minimum", "at least"), ("maximum", "at most")) if key in inner]
    limits = f" {' and '.join(bounds).capitalize()}." if bounds else ""
    default = f" Default `{field['default']}`." if "default" in field else ""
    return f"{described}{values}{limits}{default}"


def _plain(text: str) -> str:
    """Placeholders such as <vm> are no HTML."""
    return text.replace("<", "&lt;")
