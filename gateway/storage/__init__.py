"""Small values that processes share: sealed, in Redis where there is one, else in a file."""
