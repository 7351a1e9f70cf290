"""The journal: segments, their chain, checkpoints, recovery and verification."""
