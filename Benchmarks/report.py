"""What was measured, as a table: ours, the peers', and what is to be reached."""

import statistics


class Report:
    def __init__(self):
        self.rows = []

    def add(self, what, value, target="", spread=""):
        self.rows.append((what, value, spread, target))
        print(f"  {what}: {value} {spread}".rstrip(), flush=True)

    def add_times(self, what, seconds, target=""):
        """A row for repeated runs: the median, the fastest and the slowest. None stands for a run that failed."""
        measured = [one for one in seconds if one is not None]
        failed = len(seconds) - len(measured)
        spread = f"{len(seconds)} runs" + (f", {failed} failed" if failed else "")
        if not measured:
            self.add(what, "failed", target, spread)
            return
        self.add(what, f"{statistics.median(measured):.3f} s", target, f"{min(measured):.3f} to {max(measured):.3f} s, {spread}")

    def __str__(self):
        rows = [("", "median or value", "spread", "to reach"), *self.rows]
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
        return "\n".join(["", lines[0], "-" * sum(widths, 6), *lines[1:]])
