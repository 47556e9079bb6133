"""Claims about speed with their evidence: every figure is a ratio measured in one run on one embedded server."""
