"""Reading and setting the attributes of objects."""
