"""The web console on the lab: a live guest in noVNC, in a real Chromium, by `kubectl proxy`; and who may do what."""

import asyncio
import io
import json
import random
import string
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
import yaml
from PIL import Image
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from lab.demo import get, wait_ready
from lab.screen import UnreadableScreen, read_word
from lab.testbed import REPOSITORY, Testbed
from tests.chromium import alike, chromium, complaints, glass, until
from tests.e2e.machines import all_qemus, apply, until_reason
from tests.e2e.machines import until as reached
from tests.people import BASE, Person, bound, of_machine, proxied

pytestmark = pytest.mark.e2e

GREETING = b"RFB 003.008\n"
PICTURE = REPOSITORY / "out" / "console.png"
WORD = "".join(random.choices(string.ascii_uppercase + string.digits, k=8))


@pytest.fixture(scope="module")
def bed(lab: Testbed) -> Iterator[Testbed]:
    """The lab with the example's guest, which draws a word of this run on its slice's screen."""
    apply(lab, firmware={"oemStrings": [f"libvf.word={WORD}"]}, terminationGracePeriodSeconds=4)
    wait_ready(lab, "demo")
    reached(lambda: "libvf-guest: up" in lab.kubectl("logs", "demo", "-c", "launcher"), True, 240)
    yield lab
    lab.kubectl("delete", "vfvm", "--all", "--wait", "--timeout=180s")


def person(bed: Testbed, account: str, *roles: str, cards: bool = False) -> Person:
    """A service account with these roles in the default namespace; `cards`: sees what the hosts offer."""
    made = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": account, "namespace": "default"}}
    for thing in (made, *(bound(account, role) for role in roles)):
        bed.kubectl("apply", "-f", "-", stdin=json.dumps(thing))
    if cards:
        meta = {"name": f"{account}-cards"}
        everywhere = {**bound(account, "libvf-cards"), "kind": "ClusterRoleBinding", "metadata": meta}
        bed.kubectl("apply", "-f", "-", stdin=json.dumps(everywhere))
    token = bed.kubectl("create", "token", account, "--duration=1h").strip()
    server = yaml.safe_load(bed.kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    return Person(server, bed.plane.certificates.cert("ca"), token)


def test_the_screen_of_a_live_guest_is_on_the_page_beside_its_card(bed: Testbed, tmp_path: Path) -> None:
    editor = person(bed, "editor", "edit", cards=True)
    with proxied(editor, tmp_path) as address, chromium(tmp_path / "profile") as browser:
        browser.set_window_size(1280, 900)
        browser.get(f"{address}{BASE}/console/#/default")
        until(browser, lambda seen: seen.find_elements(By.CSS_SELECTOR, '.machine.well[data-machine="default/demo"]'))
        bar = until(browser, lambda seen: seen.find_element(By.CSS_SELECTOR, '[data-card="n1/mdpy"]'))
        assert "demo" in bar.text
        assert "75 % free" in bar.text
        assert "still fits 3 × mdpy-vga" in bar.text
        browser.save_screenshot(str(PICTURE.with_name("console-cards.png")))
        browser.find_element(By.CSS_SELECTOR, '[aria-label="Screen of demo"]').click()
        until(browser, lambda seen: seen.find_elements(By.CSS_SELECTOR, ".screen-state.well"))
        until(browser, lambda seen: shows(seen, tmp_path / "glass.png"))
        browser.save_screenshot(str(PICTURE))
        code, body = editor.ask("GET", of_machine("demo", "screenshot"))
        assert code == 200
        assert alike(glass(browser), Image.open(io.BytesIO(body)).convert("RGB")) > 0.99
        assert complaints(browser) == []


def shows(browser: Chrome, file: Path) -> bool:
    """Whether the guest's word is read from noVNC's own pixels."""
    glass(browser).save(file)
    try:
        return read_word(file) == WORD
    except UnreadableScreen:
        return False


def test_rbac_decides_who_looks_and_each_of_two_sees(bed: Testbed) -> None:
    stranger, user = person(bed, "stranger", "view"), person(bed, "user", "libvf-console-user")
    path = of_machine("demo", "vnc")
    assert stranger.upgrade(path) == 403

    async def talk(session: aiohttp.ClientSession) -> list[bytes]:
        sockets = [await session.ws_connect(path, protocols=("binary",)) for _ in range(2)]
        greetings = await asyncio.gather(*(each.receive_bytes(timeout=60) for each in sockets))
        for each in sockets:
            await each.close()
        return greetings

    assert user.run(talk) == [GREETING, GREETING]
    assert user.ask("PUT", of_machine("demo", "pause"))[0] == 403
    # who has left leaves no program behind in the Pod
    [node] = bed.nodes()
    reached(lambda: node.execute(["pgrep", "-fc", "libvf_launcher proxy"]).stdout.strip(), b"0", 30)


def test_a_guest_is_paused_goes_on_and_is_turned_off(bed: Testbed) -> None:
    editor = person(bed, "editor", "edit")
    assert editor.ask("PUT", of_machine("demo", "pause"))[0] == 200
    assert "unpause it" in until_reason(bed, "demo", "Paused")
    assert editor.ask("PUT", of_machine("demo", "unpause"))[0] == 200
    wait_ready(bed, "demo")
    assert editor.ask("PUT", of_machine("demo", "stop"))[0] == 200
    assert get(bed, "vfvm", "demo")["spec"]["runStrategy"] == "Halted"
    reached(lambda: all_qemus(bed), 0, 90)
    reached(lambda: editor.upgrade(of_machine("demo", "vnc")), 409, 60)  # its Pod goes a moment after QEMU
