"""A real Chromium, by its own driver, that reaches nothing but the loopback."""

import base64
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from PIL import Image, ImageChops
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.support.wait import WebDriverWait

SECONDS = 40
Found = TypeVar("Found")

_QUIET = (
    "headless=new", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking",
    "disable-component-update", "disable-sync", "disable-dev-shm-usage", "hide-scrollbars",
)  # fmt: skip


@contextmanager
def chromium(profile: Path, dark: bool = False) -> Iterator[Chrome]:
    """One with an empty profile."""
    options = ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in (*_QUIET, f"user-data-dir={profile}", *(["force-dark-mode"] if dark else [])):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = Chrome(options=options, service=ChromeService("/usr/bin/chromedriver"))
    try:
        if dark:
            features = [{"name": "prefers-color-scheme", "value": "dark"}]
            browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        yield browser
    finally:
        browser.quit()


def until(browser: Chrome, look: Callable[[Chrome], Found]) -> Found:
    """Look until there is something."""
    return WebDriverWait(browser, SECONDS, 0.2).until(look)


def complaints(browser: Chrome) -> list[str]:
    """What the browser's console says went wrong: scripts that failed, and what the page's policy forbade.

    noVNC asks Chromium once, with a frame of its own, what it can decode, and leaves that frame to the collector.
    """
    said = [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    return [message for message in said if "A VideoFrame was garbage collected" not in message]


def glass(browser: Chrome) -> Image.Image:
    """What noVNC shows, in the guest's own pixels."""
    data = browser.execute_script("return document.querySelector('.glass canvas').toDataURL()")
    return Image.open(io.BytesIO(base64.b64decode(data.partition(",")[2]))).convert("RGB")


def alike(one: Image.Image, two: Image.Image) -> float:
    """The share of equal pixels, nothing where the sizes differ."""
    if one.size != two.size:
        return 0.0
    histogram = ImageChops.difference(one, two).convert("L").histogram()
    return sum(histogram[:8]) / (one.width * one.height)
