"""When something that the service needs fails."""
