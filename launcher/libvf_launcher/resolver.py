"""The name servers of the Pod and the domains that it looks in (resolv.conf(5))."""

from pathlib import Path


def read(file: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Name servers of IPv4, and search domains of which the last line counts; none where there is no such file."""
    lines = [line.split() for line in file.read_text().splitlines()] if file.exists() else []
    servers = [words[1] for words in lines if words[:1] == ["nameserver"] and len(words) > 1 and ":" not in words[1]]
    search = [words[1:] for words in lines if words[:1] in (["search"], ["domain"])]
    return tuple(servers), tuple(search[-1]) if search else ()
