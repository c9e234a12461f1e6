/** Where objects go, and in which order their copies are read. */
export interface PlacementOptions {
  /** The backend that new objects go to; `primary` unless given. */
  readonly primary?: string;
  /** Backends that get a copy of every object, in the background; none unless given. */
  readonly mirrors?: readonly string[];
  /**
   * Which copy is read first. Backends that are not named come after those that are: the primary,
   * the mirrors in their order, then the others in the order of `backends`.
   */
  readonly readOrder?: readonly string[];
  /** Where backends are, by name, e.g. `s3://bucket/prefix`: for people, so without secrets. */
  readonly places?: Readonly<Record<string, string>>;
}

/** How to let somebody read an object from its backend. */
export interface PresignReadOptions {
  /** How long the URL works, 1 to 300,000 ms; five minutes unless given. */
  readonly expiresMs?: number;
  /** The Content-Type that the backend shall answer with. */
  readonly mediaType?: string;
  /** The Content-Disposition that the backend shall answer with. */
  readonly disposition?: string;
}

/** A URL by which whoever has it may read an object from its backend: **a secret** while it lasts. */
export interface PresignedRead {
  readonly url: string;
  /** RFC 3339 UTC with milliseconds. */
  readonly expiresAt: string;
}
