"""The web console behind a real API server: by `kubectl proxy`, in a real Chromium, with a real QEMU's screen in it."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from tests.chromium import alike, chromium, complaints, glass, until
from tests.integration.conftest import Api
from tests.integration.gatewaying import machine, person, port, standin
from tests.people import BASE, of_machine, proxied
from tests.unit.launcher.test_life import Running, launch

__all__ = ["launch", "machine", "port", "standin"]
pytestmark = pytest.mark.integration


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Chrome]:
    with chromium(tmp_path / "profile") as started:
        started.set_window_size(1280, 900)
        yield started


def test_a_screen_is_seen_and_what_may_not_be_read_is_said(
    api: Api, machine: Running, browser: Chrome, tmp_path: Path
) -> None:
    editor = person(api, "editor", "edit")
    with proxied(editor, tmp_path) as address:
        browser.get(f"{address}{BASE}/console/#/default")
        until(browser, lambda seen: seen.find_elements(By.CSS_SELECTOR, ".machine"))
        assert "resourceslices.resource.k8s.io is forbidden" in browser.find_element(By.CSS_SELECTOR, ".notice").text
        browser.get_log("browser")
        browser.get(f"{address}{BASE}/console/#/default/m")
        until(browser, lambda seen: seen.find_elements(By.CSS_SELECTOR, ".screen-state.well"))

        def same(seen: Chrome) -> bool:
            code, picture = editor.ask("GET", of_machine("m", "screenshot"))
            assert code == 200
            shown, taken = glass(seen), Image.open(io.BytesIO(picture)).convert("RGB")
            return len(shown.getcolors() or []) > 1 and alike(shown, taken) > 0.99

        until(browser, same)
        assert browser.find_element(By.CSS_SELECTOR, ".glass canvas").size["width"] > 600  # on the page, too
        browser.save_screenshot(str(tmp_path / "screen.png"))
        assert [line for line in complaints(browser) if "403" not in line] == []
        machine.start("qmp", "quit")
        until(browser, lambda seen: seen.find_elements(By.CSS_SELECTOR, ".screen-state.wrong"))
        assert browser.find_element(By.CSS_SELECTOR, ".screen-state").text == "the screen has ended"


def test_who_may_not_see_a_screen_is_told_why(api: Api, machine: Running, browser: Chrome, tmp_path: Path) -> None:
    viewer = person(api, "viewer", "libvf-viewer")
    with proxied(viewer, tmp_path) as address:
        browser.get(f"{address}{BASE}/console/#/default/m")
        until(browser, lambda seen: seen.find_elements(By.CSS_SELECTOR, ".screen-state.wrong"))
        told = browser.find_element(By.CSS_SELECTOR, ".screen-state").text
        assert 'cannot get resource "virtualmachines/vnc" in API group "subresources.libvf.io"' in told
