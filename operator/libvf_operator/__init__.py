"""The operator: VirtualMachine -> GpuPartition -> ResourceClaim -> launcher Pod, from state and never from events."""
