import { burst, manyVolumes, roundTrips, slowAppliance } from "./controller-bench.ts";
import { processes } from "./process-bench.ts";
import { type Figure, formatFigures } from "./table.ts";
import { watchLoop } from "./watch-bench.ts";

/* `make bench`: prints the table that docs/performance.md keeps and explains. */
const figures: Figure[] = [];
for (const part of [roundTrips, slowAppliance, burst, manyVolumes, watchLoop, processes])
  figures.push(...(await part()));
process.stdout.write(`${formatFigures(figures)}\n`);
process.exit(0);
