"""The life of a delivery, from the claim to what the provider reports of it."""
