"""Rules about waiting and trying again."""
