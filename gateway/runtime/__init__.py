"""What the process runs on: its clock, its garbage collector, its shared files."""
