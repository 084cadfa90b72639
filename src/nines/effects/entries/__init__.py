"""Entry points: routes, tasks and commands, with their parameters, guards and trees."""
