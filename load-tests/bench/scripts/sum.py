"""Scoring script: the sum of some numbers."""
import json


def init():
    pass


def run(raw_data):
    return {"sum": sum(json.loads(raw_data)["data"])}
