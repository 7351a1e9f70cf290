"""How databases are reached: wiring, backends, the doctor and checks at the start."""
