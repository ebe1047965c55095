"""A host's cards as an archive that may be sent to others: what is named is read, and nobody is identified."""
