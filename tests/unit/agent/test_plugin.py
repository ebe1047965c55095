"""The plugin over its real sockets, with a gRPC client as kubelet and a cluster that keeps what it is told."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from libvf_agent.wire import dra_pb2 as dra
from libvf_agent.wire import health_pb2 as health
from libvf_agent.wire import health_pb2_grpc, registration_pb2_grpc
from libvf_agent.wire import registration_pb2 as registration
from libvf_api import metadata

from tests.unit.agent.plugged import CLAIM, UID, Bed, xga


@pytest.fixture
async def bed(tmp_path: Path) -> AsyncIterator[Bed]:
    bed = Bed(tmp_path)
    stale = bed.sockets.endpoint
    stale.parent.mkdir(parents=True)
    stale.touch()
    bed.host.recover()
    await bed.sockets.start()
    yield bed
    await bed.sockets.stop()
    bed.host.journal.unlock()


async def test_kubelet_learns_name_socket_and_versions(bed: Bed) -> None:
    async with bed.channel(bed.sockets.announcement) as channel:
        stub = registration_pb2_grpc.RegistrationStub(channel)  # type: ignore[no-untyped-call]
        info = await stub.GetInfo(registration.InfoRequest())
        await stub.NotifyRegistrationStatus(registration.RegistrationStatus(plugin_registered=True))
    assert (info.type, info.name, info.endpoint) == ("DRAPlugin", "libvf.io", str(bed.sockets.endpoint))
    assert list(info.supported_versions) == ["v1.DRAPlugin", "v1.DRAResourceHealth"]
    assert bed.sockets.registration.registered.is_set()


async def test_a_prepared_claim_has_its_device_its_cdi_file_its_metadata_and_its_status(bed: Bed) -> None:
    xga(bed)
    answer = (await bed.prepare(CLAIM))[UID]
    assert answer.error == ""
    [device] = answer.devices
    [uuid] = bed.kernel.mdev.devices
    assert (list(device.request_names), device.pool_name, device.device_name) == (["gpu"], "n1-mdpy", "xga-0")
    assert list(device.cdi_device_ids) == [f"libvf.io/claim={UID}-0"]
    [edits] = [d["containerEdits"] for d in json.loads(bed.cdi_file.read_text())["devices"]]
    assert [(n["path"], n["uid"], n["gid"]) for n in edits["deviceNodes"]] == [
        ("/dev/vfio/0", 107, 107),
        ("/dev/vfio/vfio", 107, 107),
    ]
    [seen] = metadata.read(Path(edits["mounts"][0]["hostPath"]))
    assert (seen.get("mdevUUID"), seen.get("type"), seen.get("iommuGroup")) == (uuid, "mdpy-xga", 0)
    assert edits["mounts"][0]["containerPath"] == str(metadata.path("desk-gpu0", "gpu"))
    [told] = bed.cluster.statuses[-1]["status"]["devices"]
    assert told["data"]["mdevUUID"] == uuid
    assert told["conditions"][0]["reason"] == "Carved"


async def test_preparing_twice_makes_one_device(bed: Bed) -> None:
    xga(bed)
    first, second = [(await bed.prepare(CLAIM))[UID] for _ in range(2)]
    assert first == second
    assert len(bed.kernel.mdev.devices) == 1


async def test_unprepare_leaves_nothing(bed: Bed) -> None:
    xga(bed)
    await bed.prepare(CLAIM)
    del bed.cluster.claims["ns", "desk-gpu0"]
    assert (await bed.unprepare(CLAIM))[UID].error == ""
    assert bed.kernel.mdev.devices == {}
    assert not bed.cdi_file.exists()
    assert not (bed.folder / "metadata" / UID).exists()
    assert bed.host.journal.uids() == []


async def test_a_claim_never_seen_is_unprepared_with_success(bed: Bed) -> None:
    assert (await bed.unprepare(CLAIM))[UID].error == ""


async def test_every_claim_is_answered_and_one_failure_does_not_spoil_the_other(bed: Bed) -> None:
    xga(bed)
    stranger = dra.Claim(namespace="ns", name="gone", uid="0a1b2c3d-0000-4000-8000-00000000ffff")
    answers = await bed.prepare(CLAIM, stranger)
    assert answers[UID].error == ""
    assert "gone" in answers[stranger.uid].error


async def test_a_claim_made_anew_under_the_same_name_is_refused(bed: Bed) -> None:
    xga(bed, uid="0a1b2c3d-0000-4000-8000-0000000000ff")
    assert "made anew" in (await bed.prepare(CLAIM))[UID].error
    assert bed.kernel.mdev.devices == {}


async def test_a_new_allocation_of_the_same_claim_replaces_the_old_device(bed: Bed) -> None:
    xga(bed)
    await bed.prepare(CLAIM)
    xga(bed, device="hd-1")
    assert (await bed.prepare(CLAIM))[UID].error == ""
    assert [d.type for d in bed.kernel.mdev.devices.values()] == ["mdpy-hd"]


async def test_a_full_card_is_told_on_the_claim_and_heals_within_the_call(bed: Bed) -> None:
    foreign = [bed.kernel.mdev.make("mdpy", "mdpy-vga") for _ in range(4)]
    xga(bed)
    assert "no free mdpy-xga" in (await bed.prepare(CLAIM))[UID].error
    [told] = bed.cluster.statuses[-1]["status"]["devices"]
    assert (told["conditions"][0]["status"], told["conditions"][0]["reason"]) == ("False", "CarveFailed")
    asked = asyncio.create_task(bed.prepare(CLAIM))
    await asyncio.sleep(0.2)
    bed.kernel.write(f"sys/bus/mdev/devices/{foreign[0]}/remove", "1")
    assert (await asked)[UID].error == ""
    assert set(foreign[1:]) < set(bed.kernel.mdev.devices)


async def test_the_kvm_claim_gets_its_node_and_no_mediated_device(bed: Bed) -> None:
    share = "5b0f1c6e-2222-4000-8000-000000000001"
    bed.cluster.allocate("desk-gpu0", UID, {"request": "kvm", "pool": "n1-kvm", "device": "kvm", "shareID": share})
    [device] = (await bed.prepare(CLAIM))[UID].devices
    assert device.share_id == share
    document = json.loads(bed.cdi_file.read_text())
    assert document["devices"][0]["containerEdits"]["deviceNodes"][0]["path"] == "/dev/kvm"
    assert "containerEdits" not in document
    [told] = bed.cluster.statuses[-1]["status"]["devices"]
    assert (told["shareID"], told["data"]) == (share, {"accelerated": True})


async def test_a_virtual_gpu_is_only_told_of(bed: Bed) -> None:
    given = {"request": "gpu/virtual-gpu", "pool": "n1-kvm", "device": "virtual-gpu", "shareID": "s"}
    bed.cluster.allocate("desk-gpu0", UID, given)
    [device] = (await bed.prepare(CLAIM))[UID].devices
    assert (device.device_name, device.share_id) == ("virtual-gpu", "s")
    document = json.loads(bed.cdi_file.read_text())
    [mount] = document["devices"][0]["containerEdits"]["mounts"]
    assert "deviceNodes" not in document["devices"][0]["containerEdits"]
    [seen] = metadata.read(Path(mount["hostPath"]))
    assert (seen.get("kind"), seen.get("type")) == ("virtual-gpu", "virtio-gpu")
    assert bed.kernel.mdev.devices == {}
    [told] = bed.cluster.statuses[-1]["status"]["devices"]
    assert told["data"] == {"kind": "virtual-gpu", "type": "virtio-gpu"}


async def test_a_device_held_open_is_not_removed_and_the_holder_is_named(bed: Bed) -> None:
    xga(bed)
    await bed.prepare(CLAIM)
    [uuid] = bed.kernel.mdev.devices
    bed.kernel.mdev.open(uuid)
    assert "qemu-system-x86 (pid 4711)" in (await bed.unprepare(CLAIM))[UID].error
    assert list(bed.kernel.mdev.devices) == [uuid]
    bed.kernel.close()
    assert (await bed.unprepare(CLAIM))[UID].error == ""
    assert bed.kernel.mdev.devices == {}


async def test_a_device_that_vanished_is_unhealthy(bed: Bed) -> None:
    xga(bed)
    await bed.prepare(CLAIM)
    bed.kernel.mdev.reboot()
    async with bed.channel(bed.sockets.endpoint) as channel:
        stub = health_pb2_grpc.DRAResourceHealthStub(channel)  # type: ignore[no-untyped-call]
        stream = stub.NodeWatchResources(health.NodeWatchResourcesRequest())
        [seen] = (await stream.read()).devices
        stream.cancel()
    assert (seen.device.device_name, seen.health) == ("xga-0", health.UNHEALTHY)


async def test_what_is_published_is_complete_and_written_again_only_when_it_changes(bed: Bed) -> None:
    assert await bed.driver.publish() == 3
    assert await bed.driver.publish() == 0
    xga(bed)
    await bed.prepare(CLAIM)
    assert await bed.driver.publish() == 1
    mine = [s["spec"] for s in bed.cluster.published.values() if s["spec"]["pool"]["name"] == "n1-mdpy"]
    assert {s["pool"]["generation"] for s in mine} == {1}
    assert all(d["attributes"]["open"]["bool"] for s in mine for d in s.get("devices", []))


async def test_slices_wiped_by_kubelet_are_made_again(bed: Bed) -> None:
    await bed.driver.publish()
    bed.cluster.published.clear()
    assert await bed.driver.publish() == 3


async def test_the_device_of_a_claim_that_is_gone_is_reaped(bed: Bed) -> None:
    xga(bed)
    await bed.prepare(CLAIM)
    await bed.driver.reap()
    assert len(bed.kernel.mdev.devices) == 1
    bed.cluster.claims.clear()
    await bed.driver.reap()
    assert bed.kernel.mdev.devices == {}
    assert bed.host.journal.uids() == []
