"""A small operating system on a CD that installs itself: unattended, in seconds, with a real boot loader."""
