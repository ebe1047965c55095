"""What is measured on a node of the lab: the bed, the peers from Debian, and the scripts that run there."""
