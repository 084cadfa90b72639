"""What a language's own functions and methods do: containers, texts, attributes, records."""
