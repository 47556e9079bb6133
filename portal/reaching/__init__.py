"""How a member is reached: their addresses, the proof that these are theirs, and what they want to get."""
