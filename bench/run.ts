import { burst, manyVolumes, roundTrips, slowAppliance } from "./controller-bench.ts";
import { machines } from "./machine-bench.ts";
import { processes } from "./process-bench.ts";
import { manySnapshots, snapshots } from "./snapshot-bench.ts";
import { type Figure, formatFigures } from "./table.ts";
import { watchLoop } from "./watch-bench.ts";

/* `make bench`: prints the table that docs/performance.md keeps and explains; with names of parts, only those. */
const parts: Readonly<Record<string, () => Promise<Figure[]>>> = {
  roundTrips,
  slowAppliance,
  burst,
  manyVolumes,
  snapshots,
  manySnapshots,
  watchLoop,
  processes,
  machines,
};

const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => parts[name] === undefined);
if (unknown !== undefined) {
  process.stderr.write(
    `Cannot run part "${unknown}": there are ${Object.keys(parts).join(", ")}\n`,
  );
  process.exit(2);
}

const figures: Figure[] = [];
for (const [name, part] of Object.entries(parts))
  if (wanted.length === 0 || wanted.includes(name)) figures.push(...(await part()));
process.stdout.write(`${formatFigures(figures)}\n`);
process.exit(0);
