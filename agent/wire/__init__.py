"""Requests to providers: what their errors mean, the rate limit, and where requests really go."""
