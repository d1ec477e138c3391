"""Gemini through google-genai: chat, code execution, and the replay of the published experiment."""
