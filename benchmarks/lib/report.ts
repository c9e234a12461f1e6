import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { machine } from "./machine.ts";
import type { Rounds } from "./rounds.ts";
import { median } from "./statistics.ts";
import { table } from "./table.ts";

/** What a figure should reach. */
export type Aim =
  /** Of the speed of the slowest floor. */
  | { readonly ratio: number }
  | { readonly atLeast: number }
  | { readonly below: number }
  /** In no round. */
  | { readonly neverAbove: number };

/** One thing measured, with what bounds it, both a figure a round. */
export interface Measurement {
  readonly name: string;
  /** `MB/s`, `1/s`: more is better; `ms`: less is better; `B`: a size, which has no floor. */
  readonly unit: "MB/s" | "1/s" | "ms" | "B";
  readonly ours: Rounds;
  /** What the same machine did in the same rounds without us. */
  readonly floors: Readonly<Record<string, Rounds>>;
  readonly aim?: Aim;
}

interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly rounds: Rounds;
}

interface Floor extends Spread {
  readonly name: string;
  /** Our speed as a part of the floor's: the median over the rounds, each by itself. */
  readonly ratio: number;
}

interface Figure extends Spread {
  readonly name: string;
  readonly unit: Measurement["unit"];
  readonly floors: readonly Floor[];
  readonly aim?: Aim;
  readonly met?: boolean;
}

/** Gathers a program's figures, prints them as a table and writes them as JSON. */
export class Report {
  readonly #head: { readonly name: string; readonly title: string; readonly quick: boolean };
  readonly #startedAt = new Date().toISOString();
  readonly #figures: Figure[] = [];
  readonly #notes: string[] = [];

  constructor(head: { readonly name: string; readonly title: string; readonly quick: boolean }) {
    this.#head = head;
  }

  add({ name, unit, ours, floors, aim }: Measurement): void {
    const compared = Object.entries(floors).map(([floor, rounds]) => ({
      name: floor,
      ...spreadOf(rounds),
      ratio: median(ours.map((value, round) => ratioOf(unit, value, rounds[round] ?? Number.NaN))),
    }));
    const spread = spreadOf(ours);
    const met = aim === undefined ? {} : { aim, met: isMet(aim, spread, compared) };
    this.#figures.push({ name, unit, ...spread, floors: compared, ...met });
  }

  /** What a reader of the figures must know. */
  note(text: string): void {
    this.#notes.push(text);
  }

  print(): void {
    console.log(`\n${table([columns, ...this.#figures.flatMap(rowsOf)])}`);
    for (const note of this.#notes) console.log(`- ${note}`);
    const { cores, processor, node } = machine();
    const date = this.#startedAt.slice(0, 10);
    console.log(`${cores} cores (${processor}), Node.js ${node}, ${date}`);
  }

  write(folder: string): void {
    const { name } = this.#head;
    const content = {
      ...this.#head,
      startedAt: this.#startedAt,
      machine: machine(),
      figures: this.#figures,
      notes: this.#notes,
    };
    writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(content, undefined, 2)}\n`);
  }
}

function spreadOf(rounds: Rounds): Spread {
  return { median: median(rounds), min: Math.min(...rounds), max: Math.max(...rounds), rounds };
}

function ratioOf(unit: Measurement["unit"], ours: number, floor: number): number {
  return unit === "ms" ? floor / ours : ours / floor;
}

function isMet(aim: Aim, spread: Spread, floors: readonly Floor[]): boolean {
  if ("atLeast" in aim) return spread.median >= aim.atLeast;
  if ("below" in aim) return spread.median < aim.below;
  if ("neverAbove" in aim) return spread.max <= aim.neverAbove;
  // The slowest floor is the one that our speed is the largest part of.
  return Math.max(...floors.map(({ ratio }) => ratio)) >= aim.ratio;
}

const columns = ["what", "median [min to max]", "floor", "its median", "ratio", "aim"];

function rowsOf(figure: Figure): string[][] {
  const aim = figure.aim === undefined ? "" : `${aimText(figure.aim)} ${figure.met ? "✓" : "✗"}`;
  const own = [figure.name, spreadText(figure, figure.unit)];
  const [first, ...others] = figure.floors.map((floor) => [
    floor.name,
    spreadText(floor, figure.unit),
    floor.ratio.toFixed(2),
  ]);
  return [
    [...own, ...(first ?? ["", "", ""]), aim],
    ...others.map((floor) => ["", "", ...floor, ""]),
  ];
}

function spreadText({ median: middle, min, max }: Spread, unit: string): string {
  return `${short(middle)} ${unit} [${short(min)} to ${short(max)}]`;
}

function aimText(aim: Aim): string {
  if ("ratio" in aim) return `ratio ≥ ${aim.ratio}`;
  if ("atLeast" in aim) return `≥ ${short(aim.atLeast)}`;
  return "below" in aim ? `< ${short(aim.below)}` : `never > ${short(aim.neverAbove)}`;
}

/** Three digits, with thousands parted. */
function short(value: number): string {
  const options = { maximumSignificantDigits: value >= 100 ? 21 : 3 };
  return (value >= 100 ? Math.round(value) : value).toLocaleString("en-GB", options);
}
