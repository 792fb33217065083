#!/usr/bin/env python3
"""Compares firesweep with PyTorch on this machine: one variant after the other, both in turn.

    bench/compare.py                                   # the 13 variants of Figure 3, 3x32x32, batch 128
    bench/compare.py --variants sr0.125,pct0.01        # some of them
    bench/compare.py --preset squeezenet-1.0 --batch 16 --variants sr0.125   # 3x227x227, 1000 classes

Ratios above 1 mean that firesweep is faster. Wants a machine that does nothing else; peak_fraction is the
share of the FMA peak measured in the same run, counting operations of direct convolution.
Needs Debian's python3-torch for the peer.
"""

import argparse
import json
import math
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
VARIANTS = "sr0.125 sr0.25 sr0.5 sr0.75 sr1.0 pct0.01 pct0.125 pct0.25 pct0.375 pct0.625 pct0.75 pct0.875 pct0.99"


def run(command, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    if done.returncode != 0:
        sys.exit(f"compare.py: {' '.join(command)} failed:\n{done.stderr}")
    return json.loads(done.stdout)


def ours(options, variant):
    command = [options.firesweep, "bench", "--figure3", "--variant", variant, "--preset", options.preset]
    command += ["--batch", str(options.batch), "--threads", str(options.threads)]
    command += ["--repeat", str(options.repeat), "--format", "json"]
    if options.base_e:
        command += ["--base-e", str(options.base_e)]
    return run(command)[0]


def peer(options, variant):
    sr, pct3x3 = (variant[2:], "0.5") if variant.startswith("sr") else ("0.5", variant[3:])
    command = [options.firesweep, "derive", "--preset", options.preset, "--sr", sr, "--pct3x3", pct3x3]
    if options.base_e:
        command += ["--base-e", str(options.base_e), "--incr-e", str(options.base_e)]
    described = run([*command, "--format", "json"])
    command = [options.python, os.path.join(HERE, "torch_peer.py"), "--batch", str(options.batch)]
    command += ["--threads", str(options.threads), "--repeat", str(options.repeat)]
    return run(command, input=json.dumps(described))


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--firesweep", default=os.path.join(HERE, "../build/release/src/cli/firesweep"))
    parser.add_argument("--python", default="/usr/bin/python3", help="an interpreter with torch")
    parser.add_argument("--variants", default=VARIANTS.replace(" ", ","))
    parser.add_argument("--preset", default="small32")
    parser.add_argument("--base-e", type=int, help="base_e and incr_e (default: 128)")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--repeat", type=int, default=9)
    parser.add_argument("--json", metavar="FILE", help="also write the rows there")
    options = parser.parse_args()
    options.firesweep = os.path.normpath(options.firesweep)

    rows = []
    print(f"{'variant':9} {'train img/s':>12} {'PyTorch':>9} {'ratio':>6} {'of peak':>8}", end="")
    print(f" {'infer img/s':>12} {'PyTorch':>9} {'ratio':>6}")
    for variant in options.variants.split(","):
        a, b = ours(options, variant), peer(options, variant)
        row = {
            "variant": variant,
            "train_img_s": a["train_img_s"],
            "peer_train_img_s": b["train_img_s"],
            "train_ratio": a["train_img_s"] / b["train_img_s"],
            "peak_fraction": a["peak_fraction"],
            "infer_img_s": a["infer_img_s"],
            "peer_infer_img_s": b["infer_img_s"],
            "infer_ratio": a["infer_img_s"] / b["infer_img_s"],
            "fma_gflops": a["fma_gflops"],
            "torch": b["torch"],
        }
        rows.append(row)
        print(f"{variant:9} {row['train_img_s']:12.1f} {row['peer_train_img_s']:9.1f}", end="")
        print(f" {row['train_ratio']:6.2f} {row['peak_fraction']:8.3f} {row['infer_img_s']:12.1f}", end="")
        print(f" {row['peer_infer_img_s']:9.1f} {row['infer_ratio']:6.2f}", flush=True)
    for name, pick in (("geo mean", geometric_mean), ("worst", min)):
        print(f"{name:9} {'':12} {'':9} {pick([r['train_ratio'] for r in rows]):6.2f}", end="")
        print(f" {pick([r['peak_fraction'] for r in rows]):8.3f} {'':12} {'':9}", end="")
        print(f" {pick([r['infer_ratio'] for r in rows]):6.2f}")
    if options.json:
        with open(options.json, "w") as out:
            json.dump(rows, out, indent=2)


if __name__ == "__main__":
    main()
