import type { S3Controls } from "./controls.ts";
import type { S3DoubleOptions, S3Place } from "./server.ts";

/** What the process is told first. */
export interface StartMessage {
  readonly options: S3DoubleOptions;
  /** When the process ends by itself, whatever its parent does. */
  readonly maximumLifeMs: number;
}

/** What it answers once it listens. */
export type StartedMessage = S3Place;

/** A control that is called. */
export interface CallMessage {
  readonly id: number;
  readonly name: keyof S3Controls;
  readonly values: readonly unknown[];
}

/** What a control gave. */
export type ResultMessage =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: string };
