"""What the networks of two or more codecs share: reading weights strictly, layers, choosing a device."""
