"""Making a host ready to cut its GPUs: looked at, planned, told, and only then done; all of it can be taken back."""
