"""What this host has and what it lacks: read once, checked by pure functions, told with the cure."""
