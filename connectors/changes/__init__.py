"""Change sources: how the gateway learns that rows of a database changed."""
