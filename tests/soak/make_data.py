#!/usr/bin/env python3
"""Writes a small synthetic data set (IDX files like MNIST's) into a folder: four classes of striped images."""
import os
import random
import struct
import sys

SIZE, CLASSES = 12, 4


def write_set(folder, name, count, seed):
    draw = random.Random(seed)
    labels = bytes(i % CLASSES for i in range(count))
    pixels = bytearray()
    for label in labels:
        for y in range(SIZE):
            for x in range(SIZE):
                stripe = (x, y, x + y, x - y)[label] % 4 < 2
                pixels.append(min(255, (180 if stripe else 40) + draw.randrange(60)))
    with open(os.path.join(folder, name + "-images-idx3-ubyte"), "wb") as f:
        f.write(struct.pack(">IIII", 0x803, count, SIZE, SIZE) + pixels)
    with open(os.path.join(folder, name + "-labels-idx1-ubyte"), "wb") as f:
        f.write(struct.pack(">II", 0x801, count) + labels)


folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)
write_set(folder, "train", 400, 1)
write_set(folder, "t10k", 100, 2)
