"""nines reviews, proves, designs and builds backends against reliability budgets."""

__version__ = "0.1.0"
