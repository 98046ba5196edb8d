"""The HTTP server of flashtts. ``create_app`` of ``flashtts_server.app`` is the application; ``serve`` runs it."""
