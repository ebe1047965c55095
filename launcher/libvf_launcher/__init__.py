"""The program in a VM's Pod: it turns the launch document into QEMU, and QEMU's life into readiness and reasons."""
