"""A language model with nines' tools at its hand: a bounded loop, its claims checked by what these answered."""
