"""What the declarations of the databases say: sections, entry points and scopes."""
