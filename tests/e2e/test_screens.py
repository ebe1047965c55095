"""The examples of screens on a node: each reaches the state that it promises, and its picture is looked at."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from lab.demo import condition, get, read_screen, screenshot
from lab.errors import LabError
from lab.testbed import REPOSITORY, Testbed
from tests.e2e import machines
from tests.e2e.machines import HASTY, until

pytestmark = pytest.mark.e2e
PICTURES = REPOSITORY / "out" / "screens"
SECONDS = 240


def apply(bed: Testbed, example: str, **spec: Any) -> str:
    """An example, with these fields changed; returns its name once it is Ready."""
    machine = machines.example(example, **HASTY, **spec)
    bed.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(machine))
    name = str(machine["metadata"]["name"])
    until(lambda: condition(get(bed, "vfvm", name), "Ready").get("status"), "True", SECONDS)
    return name


def picture(name: str) -> Path:
    PICTURES.mkdir(parents=True, exist_ok=True)
    return PICTURES / f"{name}.png"


@pytest.mark.long
def test_a_safe_machine_shows_its_emulated_screen_and_has_the_gpu(bed: Testbed) -> None:
    name = apply(bed, "safe", disks=[])
    assert get(bed, "vfvm", name)["status"]["gpu"] == "mdpy-xga on mdpy"
    until(lambda: lit(bed, name), True, SECONDS)
    bed.kubectl("delete", "vfvm", name, "--wait")


def lit(bed: Testbed, name: str) -> bool:
    """Whether the screen shows anything: firmware writes light grey on black."""
    screenshot(bed, name, picture(name))
    with Image.open(picture(name)) as image:
        lowest, highest = image.convert("L").getextrema()
    return bool(lowest < 30 and highest > 120)


def test_a_headless_machine_has_no_display_and_says_why_there_is_no_picture(bed: Testbed) -> None:
    name = apply(bed, "headless", disks=[])
    assert "displays" not in get(bed, "vfvm", name)["status"]
    with pytest.raises(LabError, match=r"graphics\.mode is Headless.*set it to Safe"):
        screenshot(bed, name, picture(name))
    bed.kubectl("delete", "vfvm", name, "--wait")


@pytest.mark.long
def test_spice_and_looking_glass_are_where_the_status_says(bed: Testbed) -> None:
    for name in (apply(bed, "spice", disks=[]), apply(bed, "looking-glass", disks=[])):
        for display in get(bed, "vfvm", name)["status"]["displays"]:
            place = display.get("socket") or display["file"]
            bed.kubectl("exec", name, "-c", "launcher", "--", "test", "-S" if "socket" in display else "-f", place)
    with pytest.raises(LabError, match="install it in the guest"):
        bed.kubectl("exec", "looking-glass", "-c", "launcher", "--", "libvf-launcher", "frame", "-")
    bed.kubectl("delete", "vfvm", "spice", "looking-glass", "--wait")


@pytest.mark.long
def test_where_no_slice_fits_the_guest_draws_on_a_virtual_gpu_and_the_machine_says_so(bed: Testbed) -> None:
    name = apply(bed, "fallback")
    told = condition(get(bed, "vfvm", name), "GpuPrepared")
    assert (told["status"], told["reason"]) == ("False", "Fallback")
    assert "gpu0 is a virtio-gpu: no card offers nvidia-746" in told["message"]
    assert read_screen(bed, name, picture(name)) == "FALLBACK"
    bed.kubectl("delete", "vfvm", name, "--wait")


def test_an_accelerated_machine_shows_what_its_guest_draws_on_the_gpu(bed: Testbed) -> None:
    name = apply(bed, "vm")
    assert read_screen(bed, name, picture("accelerated")) == "HELLO"
    bed.kubectl("delete", "vfvm", name, "--wait")
