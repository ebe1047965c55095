"""LibVF.IO's YAML as plain maps and lists.

Its files are NimYAML's: YAML 1.2 with tags of Nim's types, and an object that has variants is a list of maps of one key
each. Every scalar stays the text that stands there: by YAML 1.1, which PyYAML follows, the PCI address 02:00.0 would be
the number 120, and the MAC address 52:54:00:12:34:56 one as well.
"""

from __future__ import annotations

from typing import Any

import yaml

_NIM = "tag:nimyaml.org,2016:"
_NULL = "tag:yaml.org,2002:null"


class BadOriginal(ValueError):
    """Text that is none of LibVF.IO's files; the message says where and the cure."""


class _Loader(yaml.SafeLoader):
    """Text and null are all the scalars there are."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own attribute
        first: [(tag, expression) for tag, expression in found if tag == _NULL]
        for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """A key that stands there twice is an error: one of its values would be lost."""
        keys = [key.value for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise BadOriginal(f"line {node.start_mark.line + 1}: {key} stands there twice: remove one of the two")
        return super().construct_mapping(node, deep=True)


def _nim(loader: _Loader, suffix: str, node: yaml.nodes.Node) -> Any:
    """Whatever type of Nim's it is, it is written as a map, a list or a scalar."""
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return str(node.value)


_Loader.add_multi_constructor(_NIM, _nim)
# standard tags of other scalars may be written out; their values stay text as well
for _kind in ("int", "float", "bool", "str"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_kind}", lambda loader, node: str(node.value))


def read(text: str) -> dict[str, Any]:
    """The file's keys, with an object's list of one-key maps as one map; raises BadOriginal."""
    try:
        found = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise BadOriginal(f"this is no YAML: {error}") from error
    merged = _merged(found)
    if not isinstance(merged, dict):
        raise BadOriginal("this is no file of LibVF.IO: its keys (name, cpus, gpus, ..) must stand at the top")
    return merged


def _merged(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _merged(part) for key, part in value.items()}
    if not isinstance(value, list):
        return value
    parts = [_merged(part) for part in value]
    keys = [key for part in parts if isinstance(part, dict) and len(part) == 1 for key in part]
    # two or more maps of one key each, all different: one object; `commands` with one key each never are
    if len(keys) == len(parts) > 1 and len(set(keys)) == len(keys):
        return {key: item for part in parts for key, item in part.items()}
    return parts
