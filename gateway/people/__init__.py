"""People: whether they are identified, and what that means for what is said of them."""
