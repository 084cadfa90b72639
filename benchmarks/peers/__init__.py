"""Services that the built ones are measured against: the same contract, written as most would write it."""
