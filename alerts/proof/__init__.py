"""What was told to whom, and what will be: looks only."""
