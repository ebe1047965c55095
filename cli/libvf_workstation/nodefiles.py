"""What containerd and kubelet are told. Pure.

Every path is one of ours, so that a containerd or a Docker that the host has already is not met anywhere.
"""

from __future__ import annotations

import json

from libvf_workstation.layout import Layout

PAUSE = "libvf.io/pause:dev"


def containerd(layout: Layout) -> str:
    """containerd's configuration, version 3."""
    run, state = layout.run, layout.state
    return f"""\
version = 3
root = "{layout.images}"
state = "{run / "containerd"}"
[grpc]
  address = "{run / "containerd.sock"}"
[ttrpc]
  address = "{run / "containerd.sock.ttrpc"}"
[plugins.'io.containerd.internal.v1.opt']
  path = "{state / "containerd-opt"}"
[plugins.'io.containerd.nri.v1.nri']
  disable = true
[plugins.'io.containerd.shim.v1.manager']
  socket_dir = "{run / "s"}"
[plugins.'io.containerd.cri.v1.images']
  # the bundle's images are unpacked and nothing else of them is there
  discard_unpacked_layers = true
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = "{PAUSE}"
[plugins.'io.containerd.cri.v1.runtime']
  netns_mounts_under_state_dir = true
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
  BinaryName = "{layout.bin / "runc"}"
  Root = "{run / "runc"}"
  SystemdCgroup = true
[plugins.'io.containerd.cri.v1.runtime'.cni]
  bin_dirs = ["{layout.programs / "cni"}"]
  conf_dir = "{layout.state / "cni"}"
"""


def kubelet(layout: Layout, resolver: str) -> str:
    """KubeletConfiguration; `resolver` is the file with the host's real name servers, empty where it has none."""
    config = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": layout.address,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(layout.plane.pki.cert("ca"))},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "systemd",
        "containerRuntimeEndpoint": f"unix://{layout.run / 'containerd.sock'}",
        # a workstation's disk is fuller than a server's, and its images are in no registry
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1Gi", "imagefs.available": "1Gi"},
        "imageGCHighThresholdPercent": 100,
        "failSwapOn": False,
        "makeIPTablesUtilChains": False,
        "resolvConf": resolver,
        "volumePluginDir": str(layout.state / "volume-plugins"),
    }
    return json.dumps(config, indent=2) + "\n"
