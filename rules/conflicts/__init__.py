"""What makes a conflict, one rule a file."""
