"""Every live process: what is launched, loaded, broken and recorded."""
