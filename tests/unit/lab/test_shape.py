"""What a node VM is made of, in QEMU's words."""

from lab.cards import CARDS, NUMA_NVMES
from lab.shape import NUMA, PLAIN


def test_a_plain_node_has_one_emulated_cpu_and_all_cards() -> None:
    words = PLAIN.arguments("tcg")
    assert words[:6] == ["-accel", "tcg", "-smp", "1", "-m", "8192"]
    assert words[6:] == list(CARDS)
    assert PLAIN.arguments("kvm")[3] == "2"


def test_each_numa_node_has_cpus_memory_and_a_disk_behind_a_bridge_of_its_own() -> None:
    words = NUMA.arguments("tcg")
    assert words[:6] == ["-accel", "tcg,thread=single", "-smp", "12,sockets=2,cores=6,threads=1", "-m", "8192"]
    assert "node,nodeid=1,cpus=6-11,memdev=mem1" in words
    assert "dist,src=0,dst=1,val=20" in words
    assert "pxb-pcie,id=pxb1,bus=pcie.0,bus_nr=64,numa_node=1" in words
    [disk] = [word for word in words if word.startswith("nvme,") and "bus=numaport1" in word]
    assert "sriov_max_vfs=6,sriov_vq_flexible=12,sriov_vi_flexible=6,max_ioqpairs=18,msix_qsize=9" in disk
    assert NUMA_NVMES == ("0000:21:00.0", "0000:41:00.0")
    assert NUMA.arguments("kvm")[1] == "kvm"
