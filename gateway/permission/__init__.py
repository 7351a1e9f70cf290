"""Which fields and operations are denied, and why."""
