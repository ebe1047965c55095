"""The names of the lab's nodes, and its users; tokens and kubeconfig files are made as on a workstation."""

from libvf_workstation.kubeconfig import users

NODE_NAMES = tuple(f"n{number}" for number in range(1, 9))

USERS = users(*NODE_NAMES)
