"""What the tests share: the server under test, its platforms, and clients with nothing hidden."""
