"""The privileged host agent: publishes what could be carved, carves what was allocated, and gives it back."""
