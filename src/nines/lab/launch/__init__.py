"""Starting and stopping the service, its database and its stubs, leaving nothing behind."""
