"""What tells people at the switchboard whether the line is well, and lets them stop it."""
