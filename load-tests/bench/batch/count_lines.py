"""A script whose work is next to nothing: a line for each file, with its name and the number of its lines."""

import os


def init():
    pass


def run(mini_batch):
    results = []
    for path in mini_batch:
        with open(path, "rb") as file:
            results.append(f"{os.path.basename(path)},{file.read().count(10)}")
    return results
