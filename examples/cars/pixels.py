"""Photos as the tensors that the models without code take: one Open Inference Protocol request a line, on stdout.

    python pixels.py martina|luca PHOTO [PHOTO ...]

Martina's model takes float32 [N,96,96,3] of 0..255, Luca's float32 [N,3,96,96] of 0..1. Needs numpy and pillow."""
import json
import sys

import numpy as np
from PIL import Image


def tensor(who, path):
    image = Image.open(path).convert("RGB").resize((96, 96), Image.BILINEAR)
    pixels = np.asarray(image, np.float32)[None]
    if who == "luca":
        pixels = pixels.transpose(0, 3, 1, 2) / np.float32(255)
    return {"name": "image", "datatype": "FP32", "shape": list(pixels.shape), "data": pixels.ravel().tolist()}


if __name__ == "__main__":
    who, *paths = sys.argv[1:]
    for path in paths:
        print(json.dumps({"id": path.rsplit("/", 1)[-1], "inputs": [tensor(who, path)]}))
