import type { Row } from "#sim/console/menu.ts";
import { displayWidth } from "#sim/console/terminal.ts";
import { FlagColumns, fullLegend } from "./flags.ts";
import { formatQuoted } from "./format-value.ts";
import { commentOf, humanProperties, type Listing, readProperty } from "./listing.ts";

/** A record ends with a line that holds one blank. Observed on RDS2216, RouterOS 7.24.4. */
const separator = " ";

/** `print detail`: `31 Bt type=file slot="x" …`, wrapped between properties and indented below the first. */
export function printDetail(listing: Listing): readonly string[] {
  const { items, width } = listing;
  if (items.length === 0) return fullLegend(listing);
  const flags = new FlagColumns(listing);
  const numberWidth = Math.max(2, String(listing.total - 1).length);
  const records = items.map(({ row, number }) => {
    const letters = flags.width === 0 ? "" : `${flags.of(row)} `;
    const lead = `${String(number).padStart(numberWidth)} ${letters}`;
    return recordLines(lead, partsOf(listing, row), { comment: commentOf(listing, row), width });
  });
  const separated = records.flatMap((lines, index) =>
    index === 0 ? lines : [separator, ...lines],
  );
  return [...flags.legend(width), ...separated];
}

function partsOf(listing: Listing, row: Row): readonly string[] {
  return humanProperties(listing).flatMap((property) => {
    const value = readProperty(row, property.name);
    return value === undefined ? [] : [`${property.name}=${formatQuoted(property, value)}`];
  });
}

function recordLines(
  lead: string,
  parts: readonly string[],
  { comment, width }: { readonly comment: string | undefined; readonly width: number },
): readonly string[] {
  const room = Math.max(1, width - lead.length);
  const body = wrap(parts, room);
  const lines = comment === undefined ? body : [comment, ...body];
  return lines.map((line, index) => (index === 0 ? lead : " ".repeat(lead.length)) + line);
}

/** Lines of at most `room` columns; a part that no line could hold is cut wherever the line ends. */
function wrap(parts: readonly string[], room: number): readonly string[] {
  const lines: string[] = [""];
  for (const part of parts) {
    const line = lines.at(-1) ?? "";
    if (displayWidth(line + part) <= room) lines.splice(-1, 1, `${line}${part} `);
    else if (displayWidth(part) <= room) lines.push(`${part} `);
    else lines.push(...cut(`${part} `, room));
  }
  return lines[0] === "" && lines.length > 1 ? lines.slice(1) : lines;
}

function cut(text: string, room: number): readonly string[] {
  const characters = Array.from(text);
  const pieces = Math.ceil(characters.length / room);
  return Array.from({ length: pieces }, (_, index) =>
    characters.slice(index * room, (index + 1) * room).join(""),
  );
}
