"""Points of which nobody was told, need be told, or that get more time."""
