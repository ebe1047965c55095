"""Reading the guest's word from a picture of its screen.

The console draws characters in cells of 8 x 16 pixels from the top left corner. The guest prints the alphabet in
its first row, so the picture itself says how each character looks: no font is needed and nothing is constant.
"""

from pathlib import Path

from PIL import Image

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
LABEL = "WORD"
CELL_WIDTH, CELL_HEIGHT = 8, 16

Glyph = bytes


class UnreadableScreen(Exception):
    """The picture does not show the guest's text; the message says what was seen instead."""


def read_word(picture: Path) -> str:
    """The word in the second row, after its label; raises UnreadableScreen."""
    with Image.open(picture) as image:
        screen = image.convert("L").point(lambda value: 255 if value > 64 else 0)
    letters = _learn(screen)
    row = "".join(letters.get(_cell(screen, column, 1), " ") for column in range(screen.width // CELL_WIDTH))
    label, _, word = row.partition(" ")
    if label.rstrip() != LABEL or not word.split():
        raise UnreadableScreen(f"{picture}: the second row reads {row.strip()!r}, not '{LABEL}: ...'")
    return word.split()[0]


def _learn(screen: Image.Image) -> dict[Glyph, str]:
    """How each character looks, from the first row."""
    if screen.width < len(ALPHABET) * CELL_WIDTH or screen.height < 2 * CELL_HEIGHT:
        raise UnreadableScreen(f"a picture of {screen.width} x {screen.height} is too small for the guest's text")
    letters = {_cell(screen, column, 0): letter for column, letter in enumerate(ALPHABET)}
    if len(letters) != len(ALPHABET):
        raise UnreadableScreen(f"the first row shows {len(letters)} different characters, not the alphabet")
    return letters


def _cell(screen: Image.Image, column: int, row: int) -> Glyph:
    left, top = column * CELL_WIDTH, row * CELL_HEIGHT
    return screen.crop((left, top, left + CELL_WIDTH, top + CELL_HEIGHT)).tobytes()
