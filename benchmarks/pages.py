def brief(w, sizes, results):
    return (
        w.name
        + "\n"
        + "\n".join(
            f"  {s}: "
            + "; ".join(
                f"{n} {x['seconds'] * 1e6:.3g}us/{x['items']} r={x.get('ratio')}"
                if "seconds" in x
                else f"{n} {x['says']}"
                for n, x in results.workloads[w.name][str(s)].items()
            )
            for s in sizes
        )
    )


def write():
    pass
