"""Attacks on a gateway of one's own, bounded in number and time, and what they cost the others."""
