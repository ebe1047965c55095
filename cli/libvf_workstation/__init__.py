"""One workstation: a bare Debian becomes a working single node with libvf on it, and a bare Debian again.

Python's standard library and nothing else, as a fresh host has no more. The lab starts its own control plane by the
same `flags`, `certificates` and `kubeconfig`.
"""
