#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What lutrace diff says of chance is what scipy says: probabilities of the rank test,
# exact and from the normal distribution, with equal values and without; those of the 99th
# percentile; and the interval of a ratio of medians.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
build=${BUILD:-$project/build}
export LC_ALL=C
/usr/bin/python3 -c 'import scipy.stats' 2>/dev/null || skip_all "no python3-scipy"

cd "$tap_scratch" || exit 1
cat >compare.py <<'END'
import itertools, json, os, random, shutil, struct, subprocess, sys
from scipy import stats

MAKE, LUTRACE = sys.argv[1:]
random.seed(7)
made = {}


def ledger(tenths):
    """A live update whose pause takes so many tenths of a millisecond more."""
    if tenths not in made:
        made[tenths] = f"ledger-{tenths}"
        os.mkdir(made[tenths])
        subprocess.run([MAKE, f"late:{tenths}", made[tenths]], check=True)
    return made[tenths]


WALL_CLOCK = 64  # where it is in a ledger; no two live updates have the same


def sample(name, values):
    os.mkdir(name)
    for i, value in enumerate(values):
        shutil.copytree(ledger(value), f"{name}/{i:03}")
        with open(f"{name}/{i:03}/previous", "r+b") as file:
            file.seek(WALL_CLOCK)
            wall, = struct.unpack("<Q", file.read(8))
            file.seek(WALL_CLOCK)
            file.write(struct.pack("<Q", wall + 1 + i))


def diff(number, before, after):
    sample(f"before-{number}", before)
    sample(f"after-{number}", after)
    out = subprocess.run([LUTRACE, "diff", "-j", "-l", "0", "-m", "0", f"before-{number}", f"after-{number}"],
                         stdout=subprocess.PIPE, check=False)
    return json.loads(out.stdout)["phases"][0]


def permuted(before, after):
    """By all ways to divide them."""
    ranks = stats.rankdata(before + after)
    seen = sum(ranks[:len(before)])
    sums = [sum(chosen) for chosen in itertools.combinations(ranks, len(before))]
    tails = [sum(s <= seen for s in sums), sum(s >= seen for s in sums)]
    return min(1, 2 * min(tails) / len(sums))


def near(one, other):
    return one is not None and abs(one - other) <= 1e-6 * max(other, 1e-6)


def say(good, sentence, *detail):
    print("ok" if good else "not ok", "-", sentence)
    if not good:
        print(*detail, file=sys.stderr)


def bounds(values):
    """The widest rank that leaves enough of the binomial distribution."""
    values, most = sorted(values), (1 - 0.95 ** 0.5) / 2
    rank = 0
    while stats.binom.cdf(rank, len(values), 0.5) <= most:
        rank += 1
    return values[rank - 1], values[len(values) - rank]


number, found = 0, []
for sizes, spread in (((5, 6), 1000), ((8, 8), 1000), ((4, 12), 1000), ((20, 22), 900)):
    number += 1
    before = random.sample(range(spread), sizes[0])
    after = [100 + v for v in random.sample(range(spread), sizes[1])]
    after = [v + (v in before) * 1300 for v in after]
    row = diff(number, before, after)
    want = stats.mannwhitneyu(before, after, method="exact").pvalue
    say(near(row["p50_p"], want), f"{sizes[0]} and {sizes[1]}: the exact distribution", row["p50_p"], want)
    if min(sizes) >= 7:
        blackouts = [[1234567890 + 100000 * v for v in side] for side in (before, after)]
        (low0, high0), (low1, high1) = map(bounds, blackouts)
        say(near(row["ratio_low"], low1 / high0) and near(row["ratio_high"], high1 / low0),
            f"{sizes[0]} and {sizes[1]}: the interval", row, low1 / high0, high1 / low0)
    else:
        say(row["ratio_low"] is None, f"{sizes[0]} and {sizes[1]}: there is no interval of so few")
for sizes in ((6, 6), (5, 8), (4, 9)):
    number += 1
    before = [random.randrange(4) for _ in range(sizes[0])]
    after = [1 + random.randrange(4) for _ in range(sizes[1])]
    row, want = diff(number, before, after), permuted(before, after)
    say(near(row["p50_p"], want), f"{sizes[0]} and {sizes[1]}: with equal values", row["p50_p"], want)
for sizes, spread in (((130, 140), 400), ((130, 140), 30)):
    number += 1
    before = [random.randrange(spread) for _ in range(sizes[0])]
    after = [spread // 10 + random.randrange(spread) for _ in range(sizes[1])]
    row = diff(number, before, after)
    want = stats.mannwhitneyu(before, after, method="asymptotic").pvalue
    above = sorted(before)[(len(before) * 99 + 99) // 100 - 1]
    larger, rank = sum(v > above for v in after), (len(before) * 99 + 99) // 100
    # Two tests, corrected for their number: the smaller by two, and not less than that the other.
    tail = min(1, 2 * stats.nhypergeom.sf(larger - 1, sum(sizes), sizes[1], len(before) - rank + 1))
    # nhypergeom counts from the other end: of all above the value, those of after before one of before.
    order = sorted((want, tail))
    corrected = {order[0]: min(1, 2 * order[0])}
    corrected.setdefault(order[1], max(corrected[order[0]], order[1]))
    say(near(row["p50_p"], corrected[want]), f"{sizes[0]} and {sizes[1]}: the normal distribution",
        row["p50_p"], corrected[want])
    say(near(row["p99_p"], corrected[tail]), f"{sizes[0]} and {sizes[1]}: the 99th percentile",
        row["p99_p"], corrected[tail])
END
/usr/bin/python3 compare.py "$build/tests/unit/make-ledger" "$build/bin/lutrace" >compare.tap || echo "not ok - it can be compared" >>compare.tap
repeat_tap compare.tap
tap_done
