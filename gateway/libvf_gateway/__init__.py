"""The gateway: an aggregated API for a VM's screen, console and switches, and the web console."""
