"""Access: who the caller is and what the caller may see."""
