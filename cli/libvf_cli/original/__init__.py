"""What LibVF.IO's own YAML files say, as resources of ours; and what of it has no equal here. Pure."""
