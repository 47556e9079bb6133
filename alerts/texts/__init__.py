"""What a message says, in which words, and whether its channel can carry them."""
