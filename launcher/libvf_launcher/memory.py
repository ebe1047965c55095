"""The guest's memory, and what it is made of."""

from collections.abc import Iterator

from libvf_api.launch import Launch
from libvf_api.quantity import to_bytes


def arguments(launch: Launch) -> Iterator[str]:
    """Plain memory; a memfd where it is of huge pages, or another program must see it too (vhost-user).

    A memfd needs neither a mounted hugetlbfs nor a right: memory_create asks for none with MFD_HUGETLB, and the pages
    are charged to the container's hugetlb cgroup as they are touched (Linux, mm/hugetlb.c). All are touched at once
    here, so that a node without enough of them says so at the start rather than by SIGBUS later.
    """
    spec = launch.spec
    size = -(-to_bytes(spec.memory.size) // 2**20)  # whole MiB, rounded up
    yield from ("-m", f"{size}M")
    huge = spec.memory.hugepages
    if huge or spec.filesystems:
        pages = f",hugetlb=on,hugetlbsize={huge.removesuffix('i')},prealloc=on" if huge else ""
        yield from ("-object", f"memory-backend-memfd,id=ram,size={size}M,share=on{pages}")
        yield from ("-machine", "memory-backend=ram")
