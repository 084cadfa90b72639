"""What names, class attributes, annotations and settings stand for."""
