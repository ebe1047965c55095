"""Reading a word from a picture whose font only the picture knows."""

import random
from pathlib import Path

import pytest
from PIL import Image

from lab.screen import ALPHABET, CELL_HEIGHT, CELL_WIDTH, UnreadableScreen, read_word


def _screen(path: Path, rows: list[str], seed: int = 7) -> Path:
    """A picture of text in a font that is random for the seed."""
    noise = random.Random(seed)
    glyphs = {letter: noise.randbytes(CELL_WIDTH * CELL_HEIGHT // 8) for letter in ALPHABET + ":-"}
    picture = Image.new("RGB", (640, 480))
    for row, text in enumerate(rows):
        for column, letter in enumerate(text):
            if letter in glyphs:
                glyph = Image.frombytes("1", (CELL_WIDTH, CELL_HEIGHT), glyphs[letter])
                picture.paste(glyph.convert("RGB"), (column * CELL_WIDTH, row * CELL_HEIGHT))
    picture.save(path)
    return path


@pytest.mark.parametrize("word", ["A", "HELLO", "X9Y8Z7W6"])
def test_the_word_is_read_in_a_font_never_seen_before(tmp_path: Path, word: str) -> None:
    for seed in (1, 2, 3):
        assert read_word(_screen(tmp_path / "s.png", [ALPHABET, f"WORD: {word}"], seed)) == word


def test_a_screen_still_black_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnreadableScreen, match="1 different characters"):
        read_word(_screen(tmp_path / "s.png", []))


def test_a_row_that_is_no_word_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(UnreadableScreen, match="PANIC"):
        read_word(_screen(tmp_path / "s.png", [ALPHABET, "PANIC AT 0"]))
