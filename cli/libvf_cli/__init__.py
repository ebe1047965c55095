"""`kubectl vf`: what libvf's own programs know, asked from where kubectl runs."""
