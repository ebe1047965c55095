"""What libvf costs, measured: every figure against a peer in the same run."""
