"""The commands of `kubectl vf`, by what they are about: options in, a call, the answer out."""
