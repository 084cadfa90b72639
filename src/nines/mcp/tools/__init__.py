"""One file per tool: INFO, Arguments, Result and `run`; a tool is in by being here, and its name is its file's."""
