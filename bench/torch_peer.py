#!/usr/bin/env python3
"""Times one network in PyTorch on the CPU, the way `firesweep bench` times it.

Reads the JSON of `firesweep derive` from standard input and prints one JSON object: images per second in
training and inference. A training step is zero_grad, forward, softmax cross-entropy, backward, and SGD with
Nesterov momentum and weight decay, float32, random data, dropout 0.5 before conv10; the figure is the
median after two warm-up rounds, in the faster of PyTorch's two memory layouts.

Needs only Debian's python3-torch. Usually started by compare.py.
"""

import argparse
import json
import os
import statistics
import sys
import time

# glibc would return the activations to the kernel after every step and fault them in again, which costs
# PyTorch more than half of its speed on some machines. A fair peer keeps its memory.
MALLOC = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(10**11), "MALLOC_TOP_PAD_": str(10**9)}


def keep_memory():
    if any(os.environ.get(name) != value for name, value in MALLOC.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, **MALLOC})


def build(torch, described):
    """The described layers as a module; the two expand layers of a Fire are concatenated."""
    nn = torch.nn

    class Fire(nn.Module):
        def __init__(self, cin, squeeze, expands):
            super().__init__()
            self.squeeze = conv(cin, squeeze)
            self.expands = nn.ModuleList(conv(squeeze["output"][0], e) for e in expands)

        def forward(self, x):
            x = torch.relu_(self.squeeze(x))
            return torch.cat([torch.relu_(e(x)) for e in self.expands], 1)

    class AveragePool(nn.Module):
        def forward(self, x):
            return x.mean((2, 3))

    def conv(cin, layer):
        return nn.Conv2d(cin, layer["output"][0], layer["kernel"], layer["stride"], layer["pad"])

    modules, channels, fires = [], int(described["requested"]["input"].split("x")[0]), {}
    for layer in described["layers"]:
        if layer["name"].startswith("fire"):
            fires.setdefault(layer["name"].split(".")[0], []).append(layer)
    for layer in described["layers"]:
        name, kind = layer["name"], layer["kind"]
        if name.startswith("fire") and name.endswith("squeeze1x1"):
            squeeze, *expands = fires[name.split(".")[0]]
            modules.append(Fire(channels, squeeze, expands))
            channels = sum(e["output"][0] for e in expands)
        elif name.startswith("fire"):
            continue
        elif kind == "conv":
            modules.append(conv(channels, layer))
            channels = layer["output"][0]
            if name != "conv10":
                modules.append(nn.ReLU(inplace=True))
        elif kind == "maxpool":
            modules.append(nn.MaxPool2d(layer["kernel"], layer["stride"], layer["pad"], ceil_mode=True))
        elif kind == "dropout":
            modules.append(nn.Dropout(0.5))
        elif kind == "avgpool":
            modules.append(AveragePool())
        else:
            raise SystemExit(f"torch_peer.py: layer {name} of kind {kind} is not known")
    return nn.Sequential(*modules)


def median_seconds(work, repeat):
    times = []
    for _ in range(2 + repeat):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times[2:])


def measure(torch, described, layout, batch, repeat):
    shape = [int(side) for side in described["requested"]["input"].split("x")]
    classes = described["requested"]["classes"]
    net = build(torch, described).to(memory_format=layout)
    images = torch.randn(batch, *shape).contiguous(memory_format=layout)
    labels = torch.randint(0, classes, (batch,))
    sgd = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, nesterov=True, weight_decay=5e-4)

    def step():
        sgd.zero_grad()
        torch.nn.functional.cross_entropy(net(images), labels).backward()
        sgd.step()

    train = median_seconds(step, repeat)
    net.eval()
    with torch.no_grad():
        infer = median_seconds(lambda: net(images), repeat)
    params = sum(p.numel() for p in net.parameters())
    return {"train_img_s": batch / train, "infer_img_s": batch / infer, "params": params}


def peak_rss_mib():
    """VmHWM, which the work above raised."""
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return None


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--layout", choices=["nchw", "nhwc", "both"], default="both")
    options = parser.parse_args()
    keep_memory()
    described = json.load(sys.stdin)
    import torch

    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    layouts = {"nchw": torch.contiguous_format, "nhwc": torch.channels_last}
    if options.layout != "both":
        layouts = {options.layout: layouts[options.layout]}
    results = {
        name: measure(torch, described, layout, options.batch, options.repeat)
        for name, layout in layouts.items()
    }
    if next(iter(results.values()))["params"] != described["totals"]["params"]:
        raise SystemExit("torch_peer.py: this is not the described network: parameters differ")
    best = {key: max(r[key] for r in results.values()) for key in ("train_img_s", "infer_img_s")}
    print(json.dumps({**best, "layouts": results, "peak_rss_mib": peak_rss_mib(), "torch": torch.__version__}))


if __name__ == "__main__":
    main()
