"""The process: settings, health, drain, logs, metrics, traces."""
