"""The test bed and the embedded default: a real control plane and real node VMs on one machine.

Everything runs in a network namespace of the lab's own, so that nodes have real addresses and nothing
leaks out; what is slow to make lives in a cache outside the checkout, keyed by what it was made from.
"""
