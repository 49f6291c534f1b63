"""Answers to what commands, the report and web pages ask: pydantic models, computed by plain functions."""
