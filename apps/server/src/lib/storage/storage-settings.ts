/** Where the bytes are: backends by name, and what each is for. */
export interface StorageSettings {
  readonly backends: Readonly<Record<string, BackendSettings>>;
  readonly placement: PlacementSettings;
}

/** Which backends new objects go to, and in what order copies are read. */
export interface PlacementSettings {
  readonly primary: string;
  readonly mirrors: readonly string[];
  readonly readOrder: readonly string[];
}

/** One place for objects. */
export type BackendSettings = LocalBackendSettings | S3BackendSettings;

export interface LocalBackendSettings {
  readonly kind: "local";
  /** Absolute: the folder that holds everything. */
  readonly root: string;
}

/** A bucket, or the part of one below a prefix; what is absent has its default. */
export interface S3BackendSettings {
  readonly kind: "s3";
  readonly bucket: string;
  readonly prefix?: string;
  readonly region?: string;
  /** The URL of a store that is not AWS's. */
  readonly endpoint?: string;
  readonly pathStyle?: boolean;
  /** Keys of its own; else those of the environment, a profile, a container or the machine. */
  readonly credentials?: S3Keys;
  /** A profile of the shared credentials file. */
  readonly profile?: string;
  readonly encryption?: S3Encryption;
  readonly storageClass?: string;
  /** Storage classes by retention class. */
  readonly storageClasses?: Readonly<Record<string, string>>;
  readonly checksums?: "when_supported" | "when_required";
  readonly conditionalWrites?: boolean;
  readonly partBytes?: number;
  readonly parallelParts?: number;
  readonly maxConnections?: number;
}

/** **Secrets.** */
export interface S3Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export type S3Encryption =
  | { readonly kind: "s3" }
  | { readonly kind: "kms"; readonly keyId?: string; readonly bucketKey?: boolean };
