"""The smallest guest that draws: a boot sector that writes what `lab.screen` reads, by the BIOS's own font."""

from pathlib import Path

from lab.screen import ALPHABET, LABEL

_CODE = bytes.fromhex(
    "31c0 8ed8"  # xor ax, ax; mov ds, ax
    "b81200 cd10"  # mov ax, 0x12; int 0x10: 640 x 480, where each character is 8 x 16 pixels
    "be1d7c"  # mov si, text
    "ac 84c0 7409"  # next: lodsb; test al, al; jz end
    "b40e bb0f00 cd10"  # mov ah, 0x0e; mov bx, 15; int 0x10: write it in white
    "ebf2"  # jmp next
    "f4 ebfd"  # end: hlt; jmp end
)


def write(disk: Path, word: str) -> None:
    """A raw disk of one MiB that boots and shows the word."""
    text = f"{ALPHABET}\r\n{LABEL}: {word}".encode() + b"\0"
    sector = (_CODE + text).ljust(510, b"\0") + b"\x55\xaa"
    disk.parent.mkdir(parents=True, exist_ok=True)
    disk.write_bytes(sector.ljust(1 << 20, b"\0"))
