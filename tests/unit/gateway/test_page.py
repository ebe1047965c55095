"""The web console in a real Chromium, with a cluster's objects as the API server answers them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.chromium import chromium, complaints, until
from tests.fakekernel.cards import mbochs, nvidia
from tests.unit.gateway.replay import CLAIMS, MACHINES, SLICES, Cluster, held, machine, offered

CARD = "0000:65:00.0"
LONG = "no slice that is at least 8Gi can be had now: nvidia-748 has 0 of 2 unallocated; free ones may be kept from it"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with chromium(tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture
def cluster() -> Cluster:
    """Two hosts, four machines."""
    made = Cluster()
    made.lists[SLICES] = [*offered("gpu-a", nvidia()), *offered("gpu-b", mbochs())]
    made.lists[CLAIMS] = [
        held("gpu-a", CARD, "702-0", "desk"),
        held("gpu-a", CARD, "702-1", "render", "studio"),
        held("gpu-b", "mbochs", "medium-0", "tiny"),
    ]
    made.lists[MACHINES] = [
        machine("desk", "True", "Running", "QEMU says that the guest runs", node="gpu-a", gpu=f"nvidia-702 on {CARD}"),
        machine("large", "False", "Unschedulable", LONG, stalled=True),
        machine("tiny", "False", "Paused", "the guest stands still", node="gpu-b", gpu="mbochs-medium on mbochs"),
        machine("rest", "False", "Halted", "given back until it is started", strategy="Halted", namespace="studio"),
    ]
    return made


@pytest.fixture
def page(browser: Chrome, cluster: Cluster) -> Iterator[Chrome]:
    browser.set_window_size(1280, 900)
    with cluster.served() as address:
        browser.get(address)
        until(browser, lambda seen: seen.find_elements(By.CSS_SELECTOR, ".machine, .notice, .empty"))
        yield browser
        assert complaints(browser) == []
        browser.get("about:blank")


def words(browser: Chrome, selector: str) -> list[str]:
    return [found.text for found in browser.find_elements(By.CSS_SELECTOR, selector)]


def card(browser: Chrome, name: str) -> str:
    return browser.find_element(By.CSS_SELECTOR, f'[data-card="{name}"]').text


def test_a_card_is_a_bar_of_what_is_cut_by_whom_and_what_still_fits(page: Chrome) -> None:
    told = card(page, f"gpu-a/{CARD}")
    assert "desk" in told
    assert "render" in told
    widths = {
        found.get_attribute("data-holder") or "free": found.size["width"]
        for found in page.find_elements(By.CSS_SELECTOR, f'[data-card="gpu-a/{CARD}"] .bar li')
    }
    total = sum(widths.values())
    shares = {name: round(width / total, 2) for name, width in widths.items()}
    # an empty card takes eight of them
    assert shares == {"default/desk": 0.12, "studio/render": 0.12, "free": 0.75}
    # one size at a time, in either series: of the others nothing fits beside these
    assert told.splitlines()[-1] == "still fits 6 × NVIDIA A2-2Q (2Gi), or 6 × NVIDIA A2-2C (2Gi)"


def test_a_card_that_mixes_sizes_says_how_many_of_each_still_fit(page: Chrome) -> None:
    told = card(page, "gpu-b/mbochs")
    assert "tiny" in told
    # of 256 MiB
    assert told.splitlines()[-1] == "still fits 60 × small (4Mi), or 15 × medium (16Mi), or 3 × large (64Mi)"


def test_machines_tell_their_state_and_reason(page: Chrome) -> None:
    assert words(page, ".machine .name") == ["default/desk", "default/large", "default/tiny", "studio/rest"]
    assert words(page, ".machine .state") == ["Running", "Unschedulable", "Paused", "Halted"]
    assert LONG in words(page, ".machine .message")
    assert page.find_element(By.ID, "summary").text == "1 of 4 machines running, 1 needs somebody"


def test_buttons_are_those_that_make_sense_and_the_keyboard_reaches_them(page: Chrome, cluster: Cluster) -> None:
    by_machine = {
        item.get_attribute("data-machine"): words_of(item) for item in page.find_elements(By.CSS_SELECTOR, ".machine")
    }
    assert by_machine["default/desk"] == ["Screen", "Pause", "Restart", "Stop"]
    assert by_machine["default/tiny"] == ["Screen", "Resume", "Restart", "Stop"]
    assert by_machine["studio/rest"] == ["Start"]
    body = page.switch_to.active_element
    for _ in range(20):
        body.send_keys(Keys.TAB)
        body = page.switch_to.active_element
        if body.get_attribute("aria-label") == "Pause desk":
            break
    body.send_keys(Keys.ENTER)
    until(page, lambda seen: cluster.asked)
    assert cluster.asked == ["/namespaces/default/virtualmachines/desk/pause"]
    until(page, lambda seen: seen.find_element(By.ID, "told").text == "it is done")
    # the list is drawn anew now and then, and the focus stays
    assert page.switch_to.active_element.get_attribute("aria-label") == "Pause desk"


def words_of(item: object) -> list[str]:
    return [found.text for found in item.find_elements(By.CSS_SELECTOR, "button, .button")]  # type: ignore[attr-defined]


def test_what_changes_in_the_cluster_changes_here(page: Chrome, cluster: Cluster) -> None:
    cluster.lists[CLAIMS] = []
    cluster.lists[MACHINES] = []
    until(page, lambda seen: "No machines yet" in seen.find_element(By.TAG_NAME, "main").text)
    assert "desk" not in card(page, f"gpu-a/{CARD}")


def test_a_name_that_is_markup_stays_a_name(page: Chrome, cluster: Cluster) -> None:
    cluster.lists[MACHINES] = [machine("x", "False", "Refused", "<img src=x onerror=alert(1)><b>bold</b>")]
    until(page, lambda seen: "<b>bold</b>" in seen.find_element(By.TAG_NAME, "main").text)
    assert page.find_elements(By.CSS_SELECTOR, "main img, main b") == []


def test_what_somebody_may_not_read_is_said_and_the_rest_is_shown(browser: Chrome, cluster: Cluster) -> None:
    cluster.lists[SLICES] = 'resourceslices.resource.k8s.io is forbidden: User "jane" cannot list'
    with cluster.served() as address:
        browser.get(address)
        until(browser, lambda seen: seen.find_elements(By.CSS_SELECTOR, ".notice"))
        assert words(browser, ".machine .name")[0] == "default/desk"
        assert 'User "jane" cannot list' in browser.find_element(By.CSS_SELECTOR, ".notice").text
        browser.get("about:blank")
    browser.get_log("browser")


def test_nothing_runs_that_is_not_a_file_of_the_page(page: Chrome) -> None:
    script = "const s = document.createElement('script'); s.textContent = 'window.broken = 1'; document.body.append(s);"
    page.execute_script(script + "return 0")
    assert page.execute_script("return window.broken ?? null") is None
    assert any("Content Security Policy" in line for line in complaints(page))


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_nothing_is_wider_than_the_window(page: Chrome, width: int) -> None:
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        assert page.execute_script("return document.documentElement.scrollWidth") <= width
        assert page.execute_script("return document.documentElement.clientWidth") == width
    finally:
        page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_light_and_dark_can_be_read(tmp_path: Path, cluster: Cluster) -> None:
    with cluster.served() as address:
        for dark in (False, True):
            with chromium(tmp_path / f"profile-{dark}", dark) as browser:
                browser.set_window_size(1280, 900)
                browser.get(address)
                until(browser, lambda seen: seen.find_elements(By.CSS_SELECTOR, ".machine"))
                browser.save_screenshot(str(tmp_path / f"{'dark' if dark else 'light'}.png"))
                faint = browser.execute_script(_CONTRASTS)
                assert faint == [], faint


_CONTRASTS = """
const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
const rgb = (colour) => {
  canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
};
// relative luminance and contrast as WCAG 2 defines them
const linear = (v) => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
const light = (colour) => {
  const [r, g, b] = rgb(colour).map((v) => linear(v / 255));
  return .2126 * r + .7152 * g + .0722 * b;
};
const ground = (element) => {
  for (let e = element; e; e = e.parentElement) {
    const colour = getComputedStyle(e).backgroundColor;
    if (colour !== 'rgba(0, 0, 0, 0)') return colour;
  }
  return 'white';
};
const found = new Set();
for (const element of document.querySelectorAll('main *, header *')) {
  if (![...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim())) continue;
  const [a, b] = [light(getComputedStyle(element).color), light(ground(element))].sort((x, y) => y - x);
  const ratio = (a + .05) / (b + .05);
  if (ratio < 4.5) found.add(`${element.className || element.tagName} ${ratio.toFixed(2)}`);
}
return [...found];
"""
