import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { clockOf, instantOf } from "./local-time.ts";

const riga = clockOf({ "time-zone-name": "Europe/Riga", "gmt-offset": "+02:00" });
const utc = (text: string) => Date.parse(`${text}Z`);

test("instantOf() goes by the rules of the zone, not by the present offset", () => {
  assert.equal(instantOf("2026-01-15 12:00:00", riga), utc("2026-01-15T10:00:00"));
  assert.equal(instantOf("2026-07-15 12:00:00", riga), utc("2026-07-15T09:00:00"));
});

test("instantOf() takes the first of an hour that comes twice, and something near for one that never was", () => {
  assert.equal(instantOf("2026-10-25 03:30:00", riga), utc("2026-10-25T00:30:00"));
  assert.equal(instantOf("2026-03-29 03:30:00", riga), utc("2026-03-29T01:30:00"));
});

test("instantOf() goes by the offset where the zone was set by hand", () => {
  const forms = {
    "+05:30": 19_800,
    "-03:30": -12_600,
    "-03:30:00": -12_600,
    "00:00": 0,
    "7200": 7_200,
    "-12600": -12_600,
    "4294954696": -12_600,
  };
  for (const [text, seconds] of Object.entries(forms)) {
    const clock = clockOf({ "time-zone-name": "manual", "gmt-offset": text });
    assert.equal(clock.offsetSeconds, seconds, text);
    const expected = utc("2026-01-15T12:00:00") - seconds * 1_000;
    assert.equal(instantOf("2026-01-15 12:00:00", clock), expected, text);
  }
});

test("instantOf() gives nothing for what it cannot read", () => {
  for (const text of ["", "jan/02/2026 12:00:00", "2026-13-01 00:00:00", "2026-01-15T12:00:00"])
    assert.equal(instantOf(text, riga), undefined, text);
  assert.equal(instantOf("2026-01-15 12:00:00", clockOf({})), undefined);
});

test("instantOf() undoes what a clock in any zone shows", () => {
  const zones = ["Europe/Riga", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC"];
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      fc.integer({ min: utc("2020-01-01") / 1_000, max: utc("2040-01-01") / 1_000 }),
      (zone, seconds) => {
        const format = { timeZone: zone, dateStyle: "short", timeStyle: "medium" } as const;
        const shown = new Intl.DateTimeFormat("sv-SE", format).format(seconds * 1_000);
        const instant = instantOf(shown, clockOf({ "time-zone-name": zone }));
        const again = new Intl.DateTimeFormat("sv-SE", format).format(instant);
        assert.equal(again, shown);
      },
    ),
  );
});
