"""The version of these programs; pyproject.toml says the same."""

PROGRAMS = "0.1.0"
