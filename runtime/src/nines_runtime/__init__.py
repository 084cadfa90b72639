"""What a reliable backend needs at run time."""

__version__ = "0.1.0"
