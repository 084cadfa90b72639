"""What interpreting shares and stands on: the world, one activation of a function, and the entrances."""
