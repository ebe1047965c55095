"""What operator, agent, launcher and command line agree on: names, types, documents."""
