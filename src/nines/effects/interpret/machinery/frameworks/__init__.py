"""What told frameworks cannot say as code: lookups by path, pages, fields of serializers and forms, permissions."""
