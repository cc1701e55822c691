"""Views: each part of a report worded and drawn, ready for its template."""
