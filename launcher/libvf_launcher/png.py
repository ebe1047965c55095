"""PNG pictures (RFC 2083), 8 bits a colour; the launcher's image has no library for them. Pure."""

import struct
import zlib
from collections.abc import Iterable


def encode(width: int, height: int, rows: Iterable[bytes]) -> bytes:
    """A picture from rows of red, green and blue bytes."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row for row in rows), 1)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
