"""Published operations: reviewed documents that a partner may call by name."""
