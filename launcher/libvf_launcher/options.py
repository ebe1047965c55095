"""How QEMU reads its options."""


def comma(text: str) -> str:
    """QEMU's option parser ends a value at a comma unless it is doubled."""
    return text.replace(",", ",,")
