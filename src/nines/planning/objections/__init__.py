"""Why a blueprint cannot hold: one file for each kind of contradiction, found by being there."""
